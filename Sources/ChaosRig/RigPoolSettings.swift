import ConnectionPool
import Orchestrator

/// What a pool is made from: where the server is, and the limits of the scenario, to which the pool is held.
public struct RigPoolSettings: Sendable {
    /// A libpq URL, for drivers that read one, **with its password if there is one**. It may lead through the rig's own relay, and
    /// has the application name and what else the server must be told.
    public var url: String
    public var host: String
    public var port: Int
    public var user: String?
    public var database: String?
    /// What each connection must bear as its `application_name`: by it the rig finds the pool's sessions on the server. Whoever
    /// connects by ``url`` has done so.
    public var applicationName: String
    /// The pool may never have more connections (`pool.max-open`).
    public var maxOpen: Int
    /// `pool.min-idle`
    public var minIdle: Int
    /// For how long a caller may wait for a connection (`pool.acquire-timeout`).
    public var acquireTimeout: Duration
    public var connectTimeout: Duration
    public var statementTimeout: Duration
    /// For how long giving back may take (`pool.release-timeout`).
    public var releaseTimeout: Duration
    public var closeTimeout: Duration
    /// `nil`: no limit.
    public var maxLifetime: Duration?

    init(_ order: PoolOrder) {
        url = order.secretURL
        host = order.host
        port = Int(order.port)
        user = order.user
        database = order.database
        applicationName = order.applicationName
        maxOpen = order.limits.maxOpen
        minIdle = order.limits.minIdle
        acquireTimeout = order.limits.acquireTimeout
        connectTimeout = order.limits.connectTimeout
        statementTimeout = order.limits.statementTimeout
        releaseTimeout = order.limits.releaseTimeout
        closeTimeout = order.limits.closeTimeout
        maxLifetime = order.limits.maxLifetime
    }
}
