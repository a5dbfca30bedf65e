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
    /// It is ours, and does what all its settings say.
    private let isOwn: Bool
    /// So many pools have these settings, each for itself; in the history they are one.
    private let instances: Int

    /// - Parameter isForeign: somebody else's pool in this process takes the place of ours.
    init(_ pool: Scenario.Pool, isForeign: Bool = false) {
        isOwn = pool.adapter == nil && !isForeign
        instances = pool.instances
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

    /// The limits, for the checkers: of each pool for itself, and how many there are.
    var event: JSONValue {
        func nanoseconds(_ name: String, _ duration: Duration) -> JSONValue.Member {
            .init(name, JSONValue(duration.nanoseconds))
        }
        var common: [JSONValue.Member] = [
            .init("max_open", JSONValue(configuration.maxOpen)), .init("min_idle", JSONValue(configuration.minIdle)),
            nanoseconds("acquire_timeout_ns", configuration.acquireTimeout),
            nanoseconds("connect_timeout_ns", configuration.connectTimeout),
            nanoseconds("statement_timeout_ns", configuration.statementTimeout),
            nanoseconds("release_timeout_ns", configuration.releaseTimeout),
            nanoseconds("close_timeout_ns", configuration.closeTimeout),
            .init("retry", .string(policy.mode.rawValue)), .init("retry_attempts", JSONValue(policy.maxAttempts)),
            nanoseconds("retry_budget_ns", policy.budget),
            nanoseconds("retry_base_delay_ns", policy.firstDelay), nanoseconds("retry_max_delay_ns", policy.delayCap),
        ]
        if instances > 1 { common.append(.init("instances", JSONValue(instances))) }
        guard isOwn else { return .object(common) }
        var own: [JSONValue.Member] = [
            .init("reset", .string(configuration.reset.rawValue)),
            .init("connects_in_flight", JSONValue(configuration.maxConnecting)),
            nanoseconds("health_check_interval_ns", configuration.healthCheckInterval),
            nanoseconds("check_after_idle_ns", configuration.checkAfterIdle),
            nanoseconds("check_timeout_ns", configuration.checkTimeout),
        ]
        if let waiters = configuration.maxWaiters { own.append(.init("max_waiters", JSONValue(waiters))) }
        if let lifetime = configuration.maxLifetime {
            own.append(nanoseconds("max_lifetime_ns", lifetime))
            // The most by which a connection's own lifetime is shorter.
            own.append(
                nanoseconds(
                    "max_lifetime_jitter_ns", .seconds(lifetime.seconds * configuration.maxLifetimeJitter)))
        }
        if let idle = configuration.maxIdleTime { own.append(nanoseconds("max_idle_time_ns", idle)) }
        return .object(common + own)
    }

    /// How long an operation may take that meets every limit: what the workload is given to end.
    var longestOperation: Duration {
        let once = configuration.acquireTimeout + configuration.statementTimeout * 4
        return min(once + policy.budget + (askAboutCommits ?? .zero), .seconds(60))
    }
}
