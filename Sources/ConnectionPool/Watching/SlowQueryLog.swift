import RigModel
import Threading

/// A statement that took too long.
public struct SlowQuery: Sendable, CustomStringConvertible {
    public var observation: StatementObservation
    /// How the database would run it now; `nil` when it was not asked, or did not say.
    public var plan: String?

    public var description: String {
        let seen = observation
        var text = "slow query: \(Double(seen.nanoseconds) / 1e6) ms, rows \(seen.rows), changed \(seen.affectedRows), "
        text += "connection \(seen.connection)"
        if let pid = seen.backendPID { text += " (pid \(pid))" }
        text += ", borrowed at \(seen.site): \(seen.statement.text)"
        if seen.count > 1 { text += " and \(seen.count - 1) more in a batch" }
        if let error = seen.error { text += "; failed: \(error)" }
        if let plan { text += "\n\(plan)" }
        return text
    }
}

/// Writes down statements over a threshold, with the plan of each as far as that is cheap: it is asked for afterwards in the
/// background on another lease, never run, one at a time and so many per minute. Parameters are not written down.
///
/// Give it to the pool as its watcher, then ``attach(to:)`` the pool for the plans.
public final class SlowQueryLog: LeaseWatcher {
    private struct State: Sendable {
        var limit: RateLimit
        var explain: (@Sendable (SQLStatement) async -> String?)?
        var isExplaining = false
    }

    private let thresholdNanoseconds: Int64
    private let runtime: any PoolRuntime
    private let sink: @Sendable (SlowQuery) -> Void
    private let state: Lock<State>

    /// - Parameters:
    ///   - threshold: faster ones are not written.
    ///   - plansPerMinute: beyond them queries are written without a plan.
    ///   - sink: called in the borrower's task, or on a thread of the runtime with a plan.
    public init(
        threshold: Duration, plansPerMinute: Int = 12, runtime: any PoolRuntime,
        sink: @escaping @Sendable (SlowQuery) -> Void
    ) {
        thresholdNanoseconds = threshold.nanoseconds
        self.runtime = runtime
        self.sink = sink
        let plans = max(1, plansPerMinute)
        state = Lock(
            State(limit: RateLimit(burst: plans, interval: .seconds(60) / plans, now: runtime.now)))
    }

    /// Asks this pool's database for plans from now on. Holds the pool weakly.
    ///
    /// - Parameter patience: for a connection and the answer together.
    public func attach<D: Driver>(to pool: Pool<D>, patience: Duration = .seconds(1)) {
        guard let explainer = pool.driver.dialect.explainer else { return }
        let explain: @Sendable (SQLStatement) async -> String? = { [weak lifeline = pool.lifeline] statement in
            guard let core = lifeline?.core, let question = explainer.explain(statement) else { return nil }
            let deadline = core.runtime.now.advanced(by: patience)
            guard let lent = try? await core.acquire(deadline: deadline, site: .here(), turn: nil) else { return nil }
            // Its own statement is not watched.
            let lease = Lease<D>(core: core, lent: lent, site: .here())
            let answer = try? await lease.connection.execute(question, deadline: deadline)
            lease.releaseUnwatched()
            return answer.map(explainer.plan(in:))
        }
        state.withLock { $0.explain = explain }
    }

    public var interest: WatchInterest { .statements }

    public func statementEnded(_ statement: StatementObservation) {
        guard statement.nanoseconds >= thresholdNanoseconds else { return }
        let explain = statement.count == 1 ? takeExplain() : nil
        guard let explain else { return sink(SlowQuery(observation: statement)) }
        runtime.run(near: -1) {
            let plan = await explain(statement.statement)
            self.state.withLock { $0.isExplaining = false }
            self.sink(SlowQuery(observation: statement, plan: plan))
        }
    }

    private func takeExplain() -> (@Sendable (SQLStatement) async -> String?)? {
        state.withLock { state in
            guard let explain = state.explain, !state.isExplaining, state.limit.allow(now: runtime.now) else {
                return nil
            }
            state.isExplaining = true
            return explain
        }
    }
}
