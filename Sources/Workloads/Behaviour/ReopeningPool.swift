package import ConnectionPool
package import RigModel
import Threading

/// A pool that is closed under load and followed by a new one, as when a program reads its settings again. Thread-safe.
///
/// In the history the connections of the second pool have numbers of their own, and the counters are those of both together.
package final class ReopeningPool: PoolUnderTest {
    /// Makes a pool that tells this sink of itself.
    package typealias Make = @Sendable (any EventSink) async -> (any PoolUnderTest)?

    /// The second pool's connections count from here.
    private static let numberOffset = 1_000_000
    /// For the wanted number of operations to be under way at the same time.
    private static let patience = Duration.seconds(5)
    private static let lookEvery = Duration.microseconds(500)

    private struct State {
        var pool: any PoolUnderTest
        var isSecond = false
        var underWay = 0
        /// Counters of the pool that was closed.
        var former: [JSONValue.Member] = []
        /// Why the pool was not closed under load and opened again.
        var problems: [String] = []
    }

    private let make: Make
    private let closing: PoolClosing
    private let sink: any EventSink
    private let runtime: any PoolRuntime
    private let state: Lock<State>

    /// - Parameter closeLimit: the pool's own; it is not waited for much longer.
    package init(
        _ first: any PoolUnderTest, closeLimit: Duration, runtime: any PoolRuntime, sink: any EventSink,
        make: @escaping Make
    ) {
        state = Lock(State(pool: first))
        closing = PoolClosing(limit: closeLimit, runtime: runtime, sink: sink)
        self.make = make
        self.sink = sink
        self.runtime = runtime
    }

    /// Waits, for some seconds at most, until so many operations are under way, closes the pool, and opens the next one. A close
    /// that does not end is not waited for: see ``PoolClosing``.
    package func reopen(whenUnderWay count: Int) async {
        let limit = runtime.now.advanced(by: Self.patience)
        while state.withLock({ $0.underWay < count }), runtime.now < limit {
            guard (try? await runtime.sleep(until: runtime.now.advanced(by: Self.lookEvery))) != nil else {
                return complain("the pool was not closed and opened again: the load ended before")
            }
        }
        let (first, underWay) = state.withLock { ($0.pool, $0.underWay) }
        if underWay < count {
            complain(
                "the pool was closed with \(underWay) operations under way; \(count) were asked for, and never were")
        }
        await closing.close(first, number: 1)
        let former = first.metrics()
        let closedAt = runtime.now
        guard let second = await make(NumberingSink(sink, offset: Self.numberOffset)) else {
            return complain("the pool could not be opened again")
        }
        sink.record(
            .info, .pool, "reopened",
            [
                "in_flight": JSONValue(underWay),
                "opened_after_ns": JSONValue(closedAt.duration(to: runtime.now).nanoseconds),
            ])
        state.withLock { state in
            state.pool = second
            state.isSecond = true
            state.former = former
        }
    }

    private func complain(_ words: String) { state.withLock { $0.problems.append(words) } }

    package func use(_ request: UseRequest) async -> UseReport {
        let (pool, isSecond) = state.withLock { state in
            state.underWay += 1
            return (state.pool, state.isSecond)
        }
        var report = await pool.use(request)
        state.withLock { $0.underWay -= 1 }
        if isSecond { NumberingSink.renumber(&report.completion, by: Self.numberOffset) }
        return report
    }

    package var gauges: PoolGauges { state.withLock { $0.pool }.gauges }

    package var tellsGauges: Bool { state.withLock { $0.pool }.tellsGauges }

    package var tellsConnecting: Bool { state.withLock { $0.pool }.tellsConnecting }

    package func metrics() -> [JSONValue.Member] {
        let (pool, former) = state.withLock { ($0.pool, $0.former) }
        let now = pool.metrics()
        guard !former.isEmpty else { return now }
        return now.map { member in
            // States and shares are the second pool's; what counts events counts those of both.
            guard case .int(let count) = member.value, !Self.states.contains(member.key),
                let earlier = former.first(where: { $0.key == member.key })?.value.intValue
            else { return member }
            return JSONValue.Member(member.key, .int(count + earlier))
        }
    }

    private static let states: Set<String> = [
        "maxOpenConnections", "openConnections", "inUse", "idle", "connecting", "waiters",
    ]

    /// Of the pool that is open: they begin anew with it.
    package func durations() -> PoolDurations? { state.withLock { $0.pool }.durations() }

    package func refreshBooks() async { await state.withLock { $0.pool }.refreshBooks() }

    package func openLeases() -> JSONValue {
        let (pool, isSecond) = state.withLock { ($0.pool, $0.isSecond) }
        guard isSecond, case .array(let leases) = pool.openLeases() else { return pool.openLeases() }
        return .array(leases.map { NumberingSink.renumber($0, by: Self.numberOffset) })
    }

    package var problems: [String] {
        let (pool, own) = state.withLock { ($0.pool, $0.problems) }
        return own + pool.problems
    }

    package func close() async -> Int { await state.withLock { $0.pool }.close() }

    package func takeAll(_ count: Int) async -> (got: Int, took: Duration)? {
        await state.withLock { $0.pool }.takeAll(count)
    }
}
