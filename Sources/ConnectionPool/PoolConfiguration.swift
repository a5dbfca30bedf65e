/// The limits of a pool. A value. The initialiser moves impossible numbers to the nearest possible one.
public struct PoolConfiguration: Sendable, Equatable {
    /// Connections at the most, also those that are being opened or closed. At least 1.
    public var maxOpen: Int
    /// Idle connections that the pool opens ahead of demand, within `maxOpen` and `maxIdle`.
    public var minIdle: Int
    /// Idle connections that it keeps; more are closed on return. `nil`: as many as `maxOpen`.
    public var maxIdle: Int?
    /// Waiting acquires at the most, also those whose connection is just being opened; the next one fails at once. `nil`:
    /// no limit. At least 1: with 0 no connection would ever be opened for anyone.
    public var maxWaiters: Int?
    /// Age at which a connection is retired: on acquire, on release, and while idle. `nil`: never. At least 1 ms: one that
    /// is too old as soon as it is open would be replaced for ever.
    public var maxLifetime: Duration?
    /// Each connection's lifetime is shortened by up to this share of it, so that they do not all end at once. 0…0.9.
    public var maxLifetimeJitter: Double
    /// An idle connection beyond `minIdle` is closed after this long. `nil`: never.
    public var maxIdleTime: Duration?
    /// One budget for an acquire: its time in line, the connect or check that it waits for, and starting again, in its old
    /// place, when the look at the socket just before lending shows that the connection is dead. The acquire's own deadline
    /// counts where it is earlier. It bounds the waiting: a connection that is ready is lent even when no time is left.
    public var acquireTimeout: Duration
    /// Limit of opening one connection, for everything that the driver does until it can be used: looking up the name, all
    /// addresses that are tried, TLS, login. The connect is the pool's: it goes on when the acquire that it was begun for
    /// gives up.
    public var connectTimeout: Duration
    /// Limit of one statement through a lease, or of one batch as a whole, also inside a transaction; the call's own deadline
    /// counts where it is earlier. It bounds neither a whole transaction nor ``Lease/call(showing:affectedRows:_:)``, and with
    /// it COPY.
    public var statementTimeout: Duration
    /// Limit of one check of a connection.
    public var checkTimeout: Duration
    /// Limit of a reset on return, and of closing one connection.
    public var releaseTimeout: Duration
    /// What a connection that comes back is cleaned of.
    public var reset: ResetPolicy
    /// How long `close` waits for leases before it cuts them.
    public var closeTimeout: Duration
    /// A connection that was proven alive this recently is lent without a check.
    public var checkAfterIdle: Duration
    /// Which idle connection is lent first.
    public var idleOrder: IdleOrder
    /// An idle connection is checked in the background when it last proved to be alive this long ago. So that the checks do
    /// not come together each connection draws an interval that is at most a quarter shorter, and each look over the
    /// connections (see ``maintenanceInterval``) checks at most a quarter of the idle ones, but at least one: the others wait
    /// for the next look.
    public var healthCheckInterval: Duration
    /// A lease held for this long is reported as a suspected leak, at the next look over the connections: up to
    /// ``maintenanceInterval`` later. `nil`: never.
    public var leakThreshold: Duration?
    /// Waiters are served in the order in which they came. On several event loops each grant then wakes another thread and
    /// moves a connection there (measured: half of the throughput). So a waiter on the connection's own loop may overtake
    /// those on others that came at most this much earlier. Waiters on one loop, and those on none, never overtake each
    /// other. Zero: strictly in order.
    public var overtaking: Duration
    /// Connects in flight at the most; after a failed connect only one until one succeeds.
    public var maxConnecting: Int
    /// Connects begun per second at the most, for servers that a storm of connects after a restart would bring down again.
    /// `nil`: as fast as `maxConnecting` and the server let it.
    public var connectsPerSecond: Double?
    /// The circuit breaker: when connects have failed for this long and no connection is open, acquires fail at once
    /// instead of waiting, while one connect at a time probes the server. `nil`: never.
    public var breakerAfter: Duration?
    /// Keep histograms of the waits of acquires and of the leases. Without them the counters remain, and so does the histogram
    /// of connect times: it costs an acquire nothing.
    public var isInstrumented: Bool
    /// Pause after failed connects: random in `0...min(cap, first × 2ⁿ)` (full jitter).
    public var backoffFirst: Duration
    public var backoffCap: Duration

    public init(
        maxOpen: Int = 10, minIdle: Int = 0, maxIdle: Int? = nil, maxWaiters: Int? = nil,
        maxLifetime: Duration? = nil, maxLifetimeJitter: Double = 0.1, maxIdleTime: Duration? = nil,
        acquireTimeout: Duration = .seconds(2), connectTimeout: Duration = .seconds(2),
        statementTimeout: Duration = .seconds(5), checkTimeout: Duration = .seconds(2),
        releaseTimeout: Duration = .seconds(2),
        reset: ResetPolicy = .rollback,
        closeTimeout: Duration = .seconds(5), checkAfterIdle: Duration = .milliseconds(500),
        idleOrder: IdleOrder = .lastUsedFirst, healthCheckInterval: Duration = .seconds(30),
        leakThreshold: Duration? = nil, overtaking: Duration = .milliseconds(3),
        maxConnecting: Int = 4, connectsPerSecond: Double? = nil,
        breakerAfter: Duration? = .seconds(30), isInstrumented: Bool = true,
        backoffFirst: Duration = .milliseconds(20), backoffCap: Duration = .seconds(1)
    ) {
        self.maxOpen = max(1, maxOpen)
        self.minIdle = max(0, minIdle)
        self.maxIdle = maxIdle.map { max(0, $0) }
        self.maxWaiters = maxWaiters.map { max(1, $0) }
        self.maxLifetime = maxLifetime.map { max($0, .milliseconds(1)) }
        self.maxLifetimeJitter = min(max(0, maxLifetimeJitter), 0.9)
        self.maxIdleTime = maxIdleTime
        self.acquireTimeout = acquireTimeout
        self.connectTimeout = connectTimeout
        self.statementTimeout = statementTimeout
        self.checkTimeout = checkTimeout
        self.releaseTimeout = releaseTimeout
        self.idleOrder = idleOrder
        self.connectsPerSecond = connectsPerSecond.map { max($0, 0.001) }
        self.breakerAfter = breakerAfter
        self.isInstrumented = isInstrumented
        self.reset = reset
        self.closeTimeout = closeTimeout
        self.checkAfterIdle = checkAfterIdle
        self.healthCheckInterval = healthCheckInterval
        self.leakThreshold = leakThreshold
        self.overtaking = overtaking
        self.maxConnecting = max(1, maxConnecting)
        self.backoffFirst = backoffFirst
        self.backoffCap = backoffCap
    }

    /// Idle connections at the most.
    public var idleLimit: Int { min(maxIdle ?? maxOpen, maxOpen) }

    /// `minIdle` as far as `maxIdle` lets it: what is opened ahead must not be closed again as too many.
    public var idleTarget: Int { min(minIdle, idleLimit) }

    /// Once a check has run for this long no waiter counts on it any more: another connection is tried meanwhile. The check
    /// itself goes on, within ``checkTimeout``. As long as ``maintenanceInterval``, but at most 250 ms.
    public var slowCheckLimit: Duration { min(maintenanceInterval, .milliseconds(250)) }

    /// How often the machine looks over its connections, to retire and check idle ones and to report leaks: a quarter of the
    /// shortest of ``healthCheckInterval``, ``maxLifetime``, ``maxIdleTime`` and ``leakThreshold``, but at least 20 ms and at
    /// most 1 s.
    public var maintenanceInterval: Duration {
        var interval = min(healthCheckInterval / 4, .seconds(1))
        for limit in [maxLifetime, maxIdleTime, leakThreshold].compactMap({ $0 }) {
            interval = min(interval, limit / 4)
        }
        return max(interval, .milliseconds(20))
    }
}

/// Which of several idle connections is lent first.
public enum IdleOrder: String, Sendable, CaseIterable {
    /// The one that came back last (LIFO): few connections stay warm, the others may go.
    case lastUsedFirst = "last-used-first"
    /// The one that has been idle for longest: all are used alike, for example to spread over servers behind one address.
    case roundRobin = "round-robin"
}
