import ConnectionPool
import RigModel
import Threading

/// What a pool's own books say about a measurement.
struct PoolBooks {
    private let metrics: PoolMetrics
    private let statements: StatementCacheCounts
    private let start = MonotonicInstant.now

    /// Takes them down at the beginning.
    init<D: Driver>(_ pool: Pool<D>) {
        metrics = pool.metrics
        statements = pool.driver.statementCacheCounts
    }

    /// What has come since: shares in `0...1`, under the names of the harness.
    ///
    /// - `utilisation`: of the connections' time, how much of it they were lent.
    /// - `check_share`: background checks, each about one round trip, per operation.
    /// - `statement_reuse`: executions that found their statement prepared.
    func figures<D: Driver>(since pool: Pool<D>, operations: Double) -> [JSONValue.Member] {
        let after = pool.metrics
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ part: Double, of whole: Double) {
            if whole > 0 { members.append(.init(name, .double((part / whole * 1e6).rounded() / 1e6))) }
        }
        let capacity = start.duration(to: .now).seconds * Double(pool.configuration.maxOpen)
        let leased = Double(after.leasedNanoseconds - metrics.leasedNanoseconds) / 1e9
        if leased > 0 { add("utilisation", leased, of: capacity) }
        let checks =
            after.healthChecksOK + after.healthChecksFailed - metrics.healthChecksOK - metrics.healthChecksFailed
        add("check_share", Double(checks), of: operations)
        let now = pool.driver.statementCacheCounts
        let hits = Double(now.hits - statements.hits)
        add("statement_reuse", hits, of: hits + Double(now.misses - statements.misses))
        return members
    }
}
