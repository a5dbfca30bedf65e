package import ConnectionPool
package import RigModel
import Threading

/// What `CHAOSRIG_POOL` says: the limits that every pool knows, and in `options` those of our own. Pure, both ways.
package struct AdapterSettings: Sendable, Equatable {
    package var configuration: PoolConfiguration
    /// For how long the server is asked what became of a COMMIT without an answer; `nil`: not at all.
    package var askAboutCommits: Duration?
    package var seed: UInt64

    package init(configuration: PoolConfiguration, askAboutCommits: Duration?, seed: UInt64) {
        self.configuration = configuration
        self.askAboutCommits = askAboutCommits
        self.seed = seed
    }

    /// What the hello says about the options.
    package static let optionWords: [JSONValue.Member] = [
        .init("max_idle", "idle connections that are kept"), .init("max_waiters", "waiting acquires at the most"),
        .init("max_lifetime_jitter", "share by which lifetimes are shortened at random"),
        .init("check_timeout_ms", "limit of one check"), .init("release_timeout_ms", "limit of a reset or close"),
        .init("close_timeout_ms", "how long close waits for leases"),
        .init("check_after_idle_ms", "a connection proven alive this recently is not checked"),
        .init("health_check_interval_ms", "how often idle connections are checked"),
        .init("leak_threshold_ms", "a lease held for longer is reported"),
        .init("reset", "none, rollback or full"), .init("idle_order", "last-used-first or round-robin"),
        .init("max_connecting", "connects in flight"), .init("breaker_after_ms", "when acquires fail at once"),
        .init("backoff_first_ms", "pause after a failed connect"), .init("backoff_cap_ms", "longest such pause"),
        .init("ask_about_commits_ms", "how long the server is asked about a COMMIT without an answer"),
        .init("seed", "draws what is random in the pool"),
    ]

    /// For our own pool.
    package var json: JSONValue { json(options: ownOptions) }

    /// For any pool.
    package var commonJSON: JSONValue { json(options: .object([])) }

    private func json(options: JSONValue) -> JSONValue {
        let pool = configuration
        func ms(_ duration: Duration?) -> JSONValue { JSONValue(duration?.milliseconds) }
        return [
            "max_open": JSONValue(pool.maxOpen), "min_idle": JSONValue(pool.minIdle),
            "acquire_timeout_ms": ms(pool.acquireTimeout), "connect_timeout_ms": ms(pool.connectTimeout),
            "statement_timeout_ms": ms(pool.statementTimeout), "max_lifetime_ms": ms(pool.maxLifetime),
            "max_idle_ms": ms(pool.maxIdleTime), "check": true,
            "options": options,
        ]
    }

    private var ownOptions: JSONValue {
        let pool = configuration
        func ms(_ duration: Duration?) -> JSONValue { JSONValue(duration?.milliseconds) }
        return [
            "max_idle": JSONValue(pool.maxIdle), "max_waiters": JSONValue(pool.maxWaiters),
            "max_lifetime_jitter": .double(pool.maxLifetimeJitter), "check_timeout_ms": ms(pool.checkTimeout),
            "release_timeout_ms": ms(pool.releaseTimeout), "close_timeout_ms": ms(pool.closeTimeout),
            "check_after_idle_ms": ms(pool.checkAfterIdle),
            "health_check_interval_ms": ms(pool.healthCheckInterval),
            "leak_threshold_ms": ms(pool.leakThreshold), "reset": .string(pool.reset.rawValue),
            "idle_order": .string(pool.idleOrder.rawValue), "max_connecting": JSONValue(pool.maxConnecting),
            "breaker_after_ms": ms(pool.breakerAfter), "backoff_first_ms": ms(pool.backoffFirst),
            "backoff_cap_ms": ms(pool.backoffCap), "ask_about_commits_ms": ms(askAboutCommits),
            "seed": .string("\(seed)"),
        ]
    }

    /// What is missing keeps the pool's default.
    package init(_ json: JSONValue) {
        var pool = PoolConfiguration()
        let options = json["options"] ?? .object([])
        func duration(_ value: JSONValue?) -> Duration? {
            value?.doubleValue.map { .nanoseconds(Int64((min(max($0, 0), 1e12) * 1e6).rounded())) }
        }
        func set(_ value: JSONValue?, _ path: WritableKeyPath<PoolConfiguration, Duration>) {
            if let duration = duration(value) { pool[keyPath: path] = duration }
        }
        func set(_ value: JSONValue?, _ path: WritableKeyPath<PoolConfiguration, Duration?>) {
            if let value { pool[keyPath: path] = duration(value) }
        }
        func set(_ value: JSONValue?, _ path: WritableKeyPath<PoolConfiguration, Int>) {
            if let number = value?.intValue { pool[keyPath: path] = Int(clamping: number) }
        }
        func set(_ value: JSONValue?, _ path: WritableKeyPath<PoolConfiguration, Int?>) {
            if let value { pool[keyPath: path] = value.intValue.map { Int(clamping: $0) } }
        }
        set(json["max_open"], \.maxOpen)
        set(json["min_idle"], \.minIdle)
        set(json["acquire_timeout_ms"], \.acquireTimeout)
        set(json["connect_timeout_ms"], \.connectTimeout)
        set(json["statement_timeout_ms"], \.statementTimeout)
        set(json["max_lifetime_ms"], \.maxLifetime)
        set(json["max_idle_ms"], \.maxIdleTime)
        set(options["max_idle"], \.maxIdle)
        set(options["max_waiters"], \.maxWaiters)
        if let jitter = options["max_lifetime_jitter"]?.doubleValue { pool.maxLifetimeJitter = jitter }
        set(options["check_timeout_ms"], \.checkTimeout)
        set(options["release_timeout_ms"], \.releaseTimeout)
        set(options["close_timeout_ms"], \.closeTimeout)
        set(options["check_after_idle_ms"], \.checkAfterIdle)
        set(options["health_check_interval_ms"], \.healthCheckInterval)
        set(options["leak_threshold_ms"], \.leakThreshold)
        if let reset = options["reset"]?.stringValue.flatMap(ResetPolicy.init) { pool.reset = reset }
        if let order = options["idle_order"]?.stringValue.flatMap(IdleOrder.init) { pool.idleOrder = order }
        set(options["max_connecting"], \.maxConnecting)
        set(options["breaker_after_ms"], \.breakerAfter)
        set(options["backoff_first_ms"], \.backoffFirst)
        set(options["backoff_cap_ms"], \.backoffCap)
        configuration = pool
        askAboutCommits = duration(options["ask_about_commits_ms"])
        seed = options["seed"]?.stringValue.flatMap { UInt64($0) } ?? 0
    }
}
