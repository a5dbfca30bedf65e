import ConnectionPool
import RigModel
import ScenarioFile
import Threading

/// The scenario's words about the pool, in the pool's own.
struct PoolSettings: Sendable {
    let configuration: PoolConfiguration
    let policy: RetryPolicy
    /// For how long the server is asked what became of a COMMIT without an answer; `nil`: it is not asked.
    let askAboutCommits: Duration?

    init(_ pool: Scenario.Pool) {
        configuration = PoolConfiguration(
            maxOpen: pool.maxOpen, minIdle: pool.minIdle, maxIdle: pool.maxIdle, maxWaiters: pool.maxWaiters,
            maxLifetime: pool.maxLifetime, maxLifetimeJitter: pool.maxLifetimeJitter, maxIdleTime: pool.maxIdleTime,
            acquireTimeout: pool.acquireTimeout, connectTimeout: pool.connectTimeout,
            statementTimeout: pool.statementTimeout, checkTimeout: pool.checkTimeout,
            releaseTimeout: pool.releaseTimeout, reset: Self.reset(pool.reset), closeTimeout: pool.closeTimeout,
            checkAfterIdle: pool.checkAfterIdle,
            idleOrder: Self.idleOrder(pool.idleOrder),
            healthCheckInterval: pool.healthCheckInterval, leakThreshold: pool.leakThreshold,
            maxConnecting: pool.maxConnecting, breakerAfter: pool.breakerAfter, backoffFirst: pool.backoffFirst,
            backoffCap: pool.backoffCap)
        let mode: RetryPolicy.Mode =
            switch pool.retry {
            case .safe: .safe
            case .none: .none
            case .blind: .blind
            }
        // Long enough for a new connection and the question.
        askAboutCommits = pool.commitDoubt == .ask ? pool.acquireTimeout + pool.statementTimeout : nil
        policy = RetryPolicy(mode: mode, maxAttempts: pool.retryAttempts, budget: pool.retryBudget)
    }

    private static func reset(_ reset: Scenario.Reset) -> ResetPolicy {
        switch reset {
        case .none: .none
        case .rollback: .rollback
        case .full: .full
        }
    }

    private static func idleOrder(_ order: Scenario.IdleOrder) -> IdleOrder {
        switch order {
        case .lastUsedFirst: .lastUsedFirst
        case .roundRobin: .roundRobin
        }
    }

    /// The limits, for the checkers.
    var event: JSONValue {
        [
            "max_open": JSONValue(configuration.maxOpen), "min_idle": JSONValue(configuration.minIdle),
            "acquire_timeout_ns": JSONValue(configuration.acquireTimeout.nanoseconds),
            "connect_timeout_ns": JSONValue(configuration.connectTimeout.nanoseconds),
            "statement_timeout_ns": JSONValue(configuration.statementTimeout.nanoseconds),
            "release_timeout_ns": JSONValue(configuration.releaseTimeout.nanoseconds),
            "close_timeout_ns": JSONValue(configuration.closeTimeout.nanoseconds),
            "retry": .string(policy.mode.rawValue), "retry_attempts": JSONValue(policy.maxAttempts),
            "retry_budget_ns": JSONValue(policy.budget.nanoseconds),
        ]
    }

    /// How long an operation may take that meets every limit: what the workload is given to end.
    var longestOperation: Duration {
        let once = configuration.acquireTimeout + configuration.statementTimeout * 4
        return min(once + policy.budget + (askAboutCommits ?? .zero), .seconds(60))
    }
}
