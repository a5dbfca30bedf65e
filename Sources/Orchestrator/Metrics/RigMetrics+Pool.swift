import Exposition

extension RigMetrics {
    static let poolOpen = MetricDefinition(
        "chaosrig_pool_open_connections", .gauge, "Connections that are idle, in use, being checked or being reset")
    static let poolIdle = MetricDefinition("chaosrig_pool_idle_connections", .gauge, "Connections that wait to be lent")
    static let poolInUse = MetricDefinition("chaosrig_pool_in_use_connections", .gauge, "Connections that are lent")
    static let poolConnecting = MetricDefinition(
        "chaosrig_pool_connecting_connections", .gauge, "Connections that are being opened")
    static let poolWaiting = MetricDefinition(
        "chaosrig_pool_waiting_acquires", .gauge, "Acquires that wait for a connection")

    static let acquireWait = MetricDefinition(
        "chaosrig_pool_acquire_wait_seconds", .histogram, "How long served acquires waited, also those that had not to")
    static let leaseDuration = MetricDefinition(
        "chaosrig_pool_lease_duration_seconds", .histogram, "How long connections were lent")
    static let connectDuration = MetricDefinition(
        "chaosrig_pool_connect_duration_seconds", .histogram, "How long it took to open a connection")

    /// A number that the pool tells under a name, and the metric that it is.
    struct Member: Sendable {
        let member: String
        let metric: MetricDefinition
        var labels: [String] = []
        /// What the number is multiplied with, for base units.
        var scale = 1.0
    }

    private static let closed = MetricDefinition(
        "chaosrig_pool_connections_closed_total", .counter,
        "Connections that were closed: for being too many idle, idle too long, too old, or lost", labels: ["reason"])
    private static let checks = MetricDefinition(
        "chaosrig_pool_health_checks_total", .counter, "Checks of connections, by what they found", labels: ["result"])

    /// In the order in which docs/metrics.md lists them.
    static let poolMembers: [Member] = [
        Member(
            member: "maxOpenConnections",
            metric: MetricDefinition(
                "chaosrig_pool_max_open_connections", .gauge, "Connections that the pool may have at the most")),
        Member(
            member: "acquireCount",
            metric: MetricDefinition("chaosrig_pool_acquires_total", .counter, "Acquires that were served")),
        Member(
            member: "waitCount",
            metric: MetricDefinition(
                "chaosrig_pool_acquire_waits_total", .counter, "Acquires that were served and had to wait")),
        Member(
            member: "waitDuration_ms",
            metric: MetricDefinition(
                "chaosrig_pool_wait_duration_seconds_total", .counter, "For how long served acquires waited, in sum"),
            scale: 1e-3),
        Member(
            member: "acquireTimeouts",
            metric: MetricDefinition(
                "chaosrig_pool_acquire_timeouts_total", .counter, "Acquires that were given up at their limit")),
        Member(
            member: "acquireCancelled",
            metric: MetricDefinition(
                "chaosrig_pool_acquires_cancelled_total", .counter, "Acquires whose caller no longer wanted them")),
        Member(
            member: "connectsOpened",
            metric: MetricDefinition(
                "chaosrig_pool_connections_opened_total", .counter, "Connections that were opened")),
        Member(
            member: "connectFailures",
            metric: MetricDefinition(
                "chaosrig_pool_connect_failures_total", .counter, "Connections that could not be opened")),
        Member(member: "maxIdleClosed", metric: closed, labels: ["max_idle"]),
        Member(member: "maxIdleTimeClosed", metric: closed, labels: ["max_idle_time"]),
        Member(member: "maxLifetimeClosed", metric: closed, labels: ["max_lifetime"]),
        Member(member: "lostClosed", metric: closed, labels: ["lost"]),
        Member(member: "healthChecksOK", metric: checks, labels: ["ok"]),
        Member(member: "healthChecksFailed", metric: checks, labels: ["failed"]),
        Member(
            member: "resets",
            metric: MetricDefinition(
                "chaosrig_pool_resets_total", .counter, "Connections that were reset when they came back")),
        Member(
            member: "leaksSuspected",
            metric: MetricDefinition(
                "chaosrig_pool_leaks_suspected_total", .counter, "Leases that were held past the leak threshold")),
        Member(
            member: "breakerOpened",
            metric: MetricDefinition(
                "chaosrig_pool_breaker_opened_total", .counter, "Times that the circuit breaker opened")),
        Member(
            member: "breakerOpen",
            metric: MetricDefinition(
                "chaosrig_pool_breaker_open", .gauge, "1 while the circuit breaker is open: acquires fail at once")),
        Member(
            member: "suspended",
            metric: MetricDefinition("chaosrig_pool_suspended", .gauge, "1 while the pool lends nothing by order")),
        Member(
            member: "retries",
            metric: MetricDefinition(
                "chaosrig_pool_retries_total", .counter, "Attempts after the first one of a use")),
        Member(
            member: "utilisation",
            metric: MetricDefinition(
                "chaosrig_pool_utilisation_ratio", .gauge,
                "Share of max-open times the pool's life in which connections were lent")),
        Member(
            member: "statementCacheHits",
            metric: MetricDefinition(
                "chaosrig_pool_statement_cache_hits_total", .counter,
                "Executions that found their statement prepared")),
        Member(
            member: "statementCacheMisses",
            metric: MetricDefinition(
                "chaosrig_pool_statement_cache_misses_total", .counter, "Executions that had to prepare it")),
    ]

    /// Each once.
    static var pool: [MetricDefinition] {
        let members = poolMembers.map(\.metric)
        let once = members.indices.filter { members.firstIndex(of: members[$0]) == $0 }.map { members[$0] }
        return [poolOpen, poolIdle, poolInUse, poolConnecting, poolWaiting] + once
            + [acquireWait, leaseDuration, connectDuration]
    }
}
