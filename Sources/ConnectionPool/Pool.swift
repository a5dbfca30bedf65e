import RigModel
public import Threading

/// The instrumented connection pool.
///
/// Thread-safe. Every wait has a deadline and ends when its task is cancelled, but for ``close(within:)``: it has a limit and
/// ignores cancellation. A pool that is not closed keeps its connections until the last lease and the last piece of
/// background work let go of it.
///
/// ```swift
/// let user = try await pool.withConnection { lease in
///     try await lease.execute(SQLStatement("select name from users where id = $1", [.int(7)], role: .read))
/// }
/// ```
///
/// What it decides is in ``PoolStateMachine``, what it does in ``PoolCore``; this is the type-safe surface.
public final class Pool<D: Driver>: Sendable {
    public typealias Connection = D.Connection

    public let core: PoolCore
    public let driver: D
    let lifeline: PoolLifeline

    /// Creates the pool and begins to open `minIdle` connections. End it with ``close(within:)``.
    ///
    /// - Parameters:
    ///   - driver: opens the connections.
    ///   - runtime: time and threads.
    ///   - seed: draws lifetimes and back-off.
    ///   - observer: is told what happens; called outside the lock, on any thread.
    ///   - watcher: is told what borrowers do; called in their tasks. Several become one with ``WatcherList``.
    public init(
        driver: D, configuration: PoolConfiguration, runtime: any PoolRuntime, seed: UInt64,
        observer: (any PoolObserver)? = nil, watcher: (any LeaseWatcher)? = nil
    ) {
        self.driver = driver
        core = PoolCore(
            configuration: configuration, runtime: runtime, seed: seed, observer: observer,
            watcher: watcher,
            connect: { deadline throws(DriverError) in try await driver.connect(deadline: deadline) })
        lifeline = PoolLifeline(core: core)
        core.start(lifeline)
    }

    // MARK: Acquire

    /// Borrows a connection. Prefer ``withConnection(deadline:file:line:_:)``: it cannot forget to give it back.
    ///
    /// - Parameters:
    ///   - deadline: at the latest until then; never longer than the acquire timeout.
    ///   - site: who borrows, for leak reports.
    @inlinable @inline(__always)
    public func acquire(
        deadline: MonotonicInstant = .distantFuture, site: BorrowSite
    ) async throws(PoolError) -> Lease<D> {
        if core.isWatched, let watcher = core.watcher {
            return try await acquireWatched(deadline: deadline, site: site, watcher)
        }
        var turn: Turn?
        if let lent = core.lendAtOnce(deadline: deadline, site: site, turn: &turn) {
            return Lease(core: core, lent: lent, site: site)
        }
        return Lease(core: core, lent: try await core.acquire(deadline: deadline, site: site, turn: turn), site: site)
    }

    // MARK: Observation

    /// The limits now; ``resize(maxOpen:minIdle:maxIdle:)`` may have changed them.
    public var configuration: PoolConfiguration { core.currentConfiguration }

    public var runtime: any PoolRuntime { core.runtime }

    public var createdAt: MonotonicInstant { core.createdAt }

    /// Counters and gauges now.
    public var metrics: PoolMetrics { core.metrics }

    public var gauges: PoolGauges { core.gauges }

    /// The leases that are out now, with their server processes.
    public var openLeases: [(lease: PoolStateMachine.OpenLease, backendPID: Int?)] { core.openLeases }

    public func countRetry() { core.countRetry() }

    /// What must hold between any two events and does not, in words; after the close nothing may be left. For tests.
    public func brokenInvariant() -> String? { core.brokenInvariant() }

    // MARK: Close

    /// Ends the pool: waiting acquires are refused, idle connections closed. Leases may come back within the limit. Statements
    /// that still run near its end (the last fifth of it, at most a second) are cancelled; at its end connections that are
    /// still out are cut.
    ///
    /// Ignores cancellation of its task, so that a cancelled owner can still end its pool: it returns when everything is
    /// closed, which is soon after the limit at the latest.
    ///
    /// - Parameter limit: how long leases may take; the configured close timeout where `nil`.
    /// - Returns: the number of leases that were cut. A second call waits for the first, whatever its own limit.
    public func close(within limit: Duration? = nil) async -> Int { await core.close(within: limit) }
}
