import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

/// Races of two threads inside the shell, made to happen.
@Suite(.timeLimit(.minutes(2)))
struct PoolRaceTests {
    let runtime = HookedRuntime()
    let driver: FakeDriver
    let sideThread = SideThread()
    /// So long that the regular look at everything does not hide a lost alarm.
    let quiet = PoolConfiguration(
        maxOpen: 1, acquireTimeout: .seconds(900), connectTimeout: .seconds(900), healthCheckInterval: .seconds(900))

    init() { driver = FakeDriver(runtime: runtime.base) }

    func acquire(
        _ pool: Pool<FakeDriver>, within limit: Duration = .seconds(900), on thread: SideThread? = nil
    ) -> Task<Void, any Error> {
        let deadline = runtime.base.now.advanced(by: limit)
        return Task(executorPreference: thread) {
            try await pool.acquire(deadline: deadline, site: .here()).release()
        }
    }

    func close(_ pool: Pool<FakeDriver>) async throws {
        #expect(await pool.close() == 0)
        try await runtime.base.untilWorkEnds()
        #expect(pool.brokenInvariant() == nil)
        #expect(driver.books.value.violations == [])
    }

    @Test("Two threads that set the alarm in the wrong order do not lose the earlier time")
    func alarmsCross() async throws {
        driver.answerConnects { _ in .hang }
        let pool = Pool(driver: driver, configuration: quiet, runtime: runtime, seed: 1)
        let start = runtime.base.now
        let hooks = runtime.hooks
        // While one thread is about to set 90 ms, another one sets 50 ms.
        let second = Watched<Task<Void, any Error>?>(nil)
        hooks.change { hooks in
            hooks.beforeSet = {
                let task = acquire(pool, within: .milliseconds(50))
                second.change { $0 = task }
                holdUp { self.runtime.hooks.value.alarmsSet.contains(start.advanced(by: .milliseconds(50))) }
            }
        }
        let first = acquire(pool, within: .milliseconds(90), on: sideThread)
        try await hooks.wait { $0.alarmsSet.contains(start.advanced(by: .milliseconds(90))) }
        try await hooks.wait { $0.alarmsSet.last == start.advanced(by: .milliseconds(50)) }
        runtime.base.advance(by: .milliseconds(50))
        #expect(pool.gauges.waiting == 1)
        await #expect(throws: PoolError.self) { try await second.value?.value }
        runtime.base.advance(by: .milliseconds(40))
        await #expect(throws: PoolError.self) { try await first.value }
        try await close(pool)
    }

    @Test("A connect that ends before its starter has noted it is not noted")
    func connectEndsAtOnce() async throws {
        let pool = Pool(driver: driver, configuration: quiet, runtime: runtime, seed: 1)
        runtime.hooks.change { $0.afterRun = { holdUp { pool.metrics.connectsOpened == 1 } } }
        try await acquire(pool, on: sideThread).value
        try await close(pool)
    }

    @Test("A connect whose pool is closed before its starter has noted it is cancelled")
    func closeDuringTheStartOfAConnect() async throws {
        driver.answerConnects { _ in .hang }
        let pool = Pool(driver: driver, configuration: quiet, runtime: runtime, seed: 1)
        let closing = Watched<Task<Int, Never>?>(nil)
        runtime.hooks.change { hooks in
            hooks.afterRun = {
                let task = Task { await pool.close() }
                closing.change { $0 = task }
                // The close refuses the waiter.
                holdUp { pool.gauges.waiting == 0 }
            }
        }
        await #expect(throws: PoolError.closed) { try await acquire(pool, on: sideThread).value }
        // No time has passed.
        #expect(await closing.value?.value == 0)
        try await close(pool)
    }

    @Test("A thread that read the clock before another one does not make anybody wait a negative time")
    func clockReadTooEarly() async throws {
        let pool = Pool(driver: driver, configuration: quiet, runtime: runtime, seed: 1)
        let holder = HeldLease(try await pool.acquire(site: .here()))
        runtime.base.advance(by: .milliseconds(20))
        let waiter = acquire(pool)
        while pool.gauges.waiting == 0 { await Task.yield() }
        let before = pool.metrics.waitDuration
        runtime.hooks.change { $0.skew = .milliseconds(5) }
        holder.release()
        runtime.hooks.change { $0.skew = .zero }
        try await waiter.value
        #expect(pool.metrics.waitDuration == before)
        try await close(pool)
    }

    @Test("An all-clear is told after its suspicion, although its thread is faster")
    func noticesDoNotOvertake() async throws {
        let observer = SlowObserver()
        var configuration = quiet
        configuration.leakThreshold = .seconds(1)
        let pool = Pool(driver: driver, configuration: configuration, runtime: runtime, seed: 1, observer: observer)
        let holder = HeldLease(try await pool.acquire(site: .here()))
        let isReleased = Watched(false)
        observer.beforeFirst.change { hook in
            hook = {
                let task = Task {
                    holder.release()
                    isReleased.change { $0 = true }
                }
                withExtendedLifetime(task) { holdUp { isReleased.value } }
            }
        }
        await Task(executorPreference: sideThread) { runtime.base.advance(by: .seconds(2)) }.value
        #expect(observer.told.value == ["suspected", "cleared"])
        try await close(pool)
    }
}

/// Is held up while it is told its first notice.
private final class SlowObserver: PoolObserver {
    let beforeFirst = Watched<(@Sendable () -> Void)?>(nil)
    let told = Watched<[String]>([])

    func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration) {}
    func poolConnectFailed(_ error: DriverError) {}

    func poolNoticed(_ notice: PoolNotice, backendPID: Int?) {
        beforeFirst.change { $0.take() }?()
        switch notice {
        case .leakSuspected: told.change { $0.append("suspected") }
        case .leakCleared: told.change { $0.append("cleared") }
        case .leaked, .closing: break
        }
    }
}
