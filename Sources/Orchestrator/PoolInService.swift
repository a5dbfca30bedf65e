import ConnectionPool
import RigModel
import ScenarioFile
import Threading
import Workloads

/// A pool under test and its target, for one round of load and faults or for many. Used by one round at a time.
final class PoolInService: Sendable {
    let target: any RunTarget
    let closed: ClosedConnections
    private let sink: HistorySwitch
    private let runtime: LoopRuntime
    private let state = Lock(State())

    private struct State {
        var pool: (any PoolUnderTest)?
        var isClosed = false
        var rounds = 0
        /// What the counters said when the round began.
        var countersBefore: [JSONValue.Member] = []
    }

    init(target: any RunTarget, runtime: LoopRuntime) {
        self.target = target
        self.runtime = runtime
        sink = HistorySwitch()
        closed = ClosedConnections(sink)
    }

    /// The tables are new; the first time the pool is, too. It tells this history what happens to it until ``endRound()``.
    func beginRound(_ history: any EventSink, _ scenario: Scenario) async throws(RunError) -> any PoolUnderTest {
        let former = state.withLock { $0.pool }
        if let former {
            try await target.prepareAgain(history)
            await former.refreshBooks()
            let counters = former.metrics()
            state.withLock { $0.countersBefore = counters }
            sink.begin(history)
            return former
        }
        try await target.prepare(history)
        sink.begin(history)
        let pool = try await makePool(scenario)
        state.withLock { $0.pool = pool }
        return pool
    }

    /// The history gets nothing more.
    func endRound() { sink.end() }

    /// Closes the pool, should there be one that is open; its close is told to the history.
    ///
    /// - Parameter limit: the pool's own.
    func close(within limit: Duration, _ history: any EventSink) async {
        let pool = state.withLock { state -> (any PoolUnderTest)? in
            guard let pool = state.pool, !state.isClosed else { return nil }
            state.isClosed = true
            return pool
        }
        guard let pool else { return }
        await PoolClosing(limit: limit, runtime: runtime, sink: history).close(pool)
    }

    /// Closes a pool that a round has left open, and no other follows.
    func closeRest(within limit: Duration) async { await close(within: limit, sink) }

    /// The pool's counters since the round began, and its gauges now.
    func metrics(of pool: any PoolUnderTest) -> [JSONValue.Member] {
        CounterBaseline.since(state.withLock { $0.countersBefore }, now: pool.metrics())
    }

    private func makePool(_ scenario: Scenario) async throws(RunError) -> any PoolUnderTest {
        let first = try await makeFirst(scenario)
        guard scenario.workload.behaviour.reopen != nil else { return first }
        let target = target
        return ReopeningPool(
            first, closeLimit: PoolSettings(scenario.pool).configuration.closeTimeout, runtime: runtime, sink: closed
        ) { try? await target.makePool($0) }
    }

    private func makeFirst(_ scenario: Scenario) async throws(RunError) -> any PoolUnderTest {
        guard scenario.pool.instances > 1 else { return try await target.makePool(closed) }
        let target = target
        return try await PoolInstances(count: scenario.pool.instances, sink: closed) { sink throws(RunError) in
            try await target.makePool(sink)
        }
    }
}
