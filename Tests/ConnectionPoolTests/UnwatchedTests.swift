import RigModel
import RigTestSupport
import Testing
import Threading

@testable import ConnectionPool

/// What watching costs while nobody listens: a look at a flag. No clock is read, and nothing is told.
@Suite("Watching while nobody listens", .timeLimit(.minutes(15)))
struct UnwatchedTests {
    /// Counts how often the time is asked for.
    private struct CountingRuntime: PoolRuntime {
        let inner = ManualRuntime()
        let readings = Watched(0)

        var now: MonotonicInstant {
            readings.change { $0 += 1 }
            return inner.now
        }

        func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm { inner.makeAlarm(fire) }

        func run(near affinity: Int32, _ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
            inner.run(near: affinity, work)
        }

        func sleep(until instant: MonotonicInstant) async throws { try await inner.sleep(until: instant) }
    }

    /// Wants what it is told to want, and keeps what it gets.
    private final class CountingWatcher: LeaseWatcher {
        let wanted: WatchInterest
        let told = Watched<[String]>([])

        init(_ wanted: WatchInterest) { self.wanted = wanted }

        var interest: WatchInterest { wanted }
        func acquireBegan(_ site: BorrowSite, at: MonotonicInstant) { told.change { $0.append("acquire") } }
        func acquireFailed(_ site: BorrowSite, _ error: PoolError, at: MonotonicInstant) {
            told.change { $0.append("failed") }
        }
        func leaseBegan(_ lease: LeaseObservation) { told.change { $0.append("began") } }
        func connectionLost(_ lease: LeaseObservation, _ error: DriverError) { told.change { $0.append("lost") } }
        func statementEnded(_ statement: StatementObservation) { told.change { $0.append("statement") } }
        func leaseEnded(_ lease: LeaseObservation, _ end: LeaseEnd) { told.change { $0.append("ended") } }
    }

    /// Borrows a warm connection ten times, with a statement, a batch and a call each.
    ///
    /// - Parameter watcher: made for the pool's runtime.
    /// - Returns: readings of the clock.
    private func readings(
        _ watcher: (any PoolRuntime) -> (any LeaseWatcher)?
    ) async throws -> Int {
        let runtime = CountingRuntime()
        let pool = Pool(
            driver: FakeDriver(runtime: runtime.inner), configuration: PoolConfiguration(maxOpen: 1), runtime: runtime,
            seed: 1, watcher: watcher(runtime))
        let read = SQLStatement("select", role: .read)
        try await pool.withConnection { lease in _ = try await lease.execute(read) }
        let before = runtime.readings.value
        for _ in 0..<10 {
            try await pool.withConnection { lease in
                _ = try await lease.execute(read)
                _ = await lease.execute(batch: [read, read], atomicity: .independent)
                try await lease.call(showing: read) { _ in }
            }
        }
        let count = runtime.readings.value - before
        #expect(await pool.close() == 0)
        return count
    }

    @Test("A pool whose watchers want nothing reads the clock as often as one without, and tells them nothing")
    func nothingIsComputed() async throws {
        let without = try await readings { _ in nil }
        #expect(without > 0)
        let idle = CountingWatcher([])
        #expect(try await readings { _ in idle } == without)
        #expect(idle.told.value == [])
        #expect(try await readings { _ in WatcherList([idle, idle]) } == without)
        #expect(idle.told.value == [])
        #expect(try await readings { runtime in PoolEventHub(runtime: runtime) } == without)
        // With listeners it does cost readings: the measure measures.
        let leases = CountingWatcher(.leases)
        #expect(try await readings { _ in leases } > without)
        #expect(Set(leases.told.value) == ["acquire", "began", "ended"])
        let statements = CountingWatcher(.statements)
        #expect(try await readings { _ in WatcherList([idle, statements]) } > without)
        #expect(statements.told.value == Array(repeating: "statement", count: 31))
        #expect(idle.told.value == [])
    }
}
