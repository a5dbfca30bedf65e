import RigModel
package import Threading

/// The instrumented connection pool: the shell around ``PoolStateMachine``.
///
/// Thread-safe. The lock is held for the transition only; what follows from it runs after unlocking. Every wait has a
/// deadline and ends when its task is cancelled. A pool that is not closed keeps its connections until the last lease and
/// the last piece of background work let go of it.
///
/// ```swift
/// let user = try await pool.withConnection { lease in
///     try await lease.execute(SQLStatement("select name from users where id = $1", [.int(7)], role: .read))
/// }
/// ```
package final class Pool<D: Driver>: Sendable {
    package typealias Connection = D.Connection

    let state: Lock<State>
    let alarm = Lock<(any PoolAlarm)?>(nil)
    let driver: D
    let observer: (any PoolObserver)?
    package let runtime: any PoolRuntime
    package let configuration: PoolConfiguration
    package let createdAt: MonotonicInstant

    /// Creates the pool and begins to open `minIdle` connections. End it with ``close(within:)``.
    ///
    /// - Parameters:
    ///   - driver: opens the connections.
    ///   - runtime: time and threads.
    ///   - seed: draws lifetimes and back-off.
    ///   - observer: is told what happens; called outside the lock, on any thread.
    package init(
        driver: D, configuration: PoolConfiguration, runtime: any PoolRuntime, seed: UInt64,
        observer: (any PoolObserver)? = nil
    ) {
        self.driver = driver
        self.configuration = configuration
        self.runtime = runtime
        self.observer = observer
        createdAt = runtime.now
        state = Lock(
            State(machine: PoolStateMachine(configuration: configuration, seed: seed, now: createdAt), now: createdAt))
        let timer = runtime.makeAlarm { [weak self] in
            self?.transition { state, now in
                state.alarmAt = nil
                state.machine.alarmFired(now: now)
            }
        }
        alarm.withLock { $0 = timer }
        transition { _, _ in }
    }

    // MARK: Acquire

    /// Borrows a connection. Prefer ``withConnection(deadline:file:line:_:)``: it cannot forget to give it back.
    ///
    /// - Parameters:
    ///   - deadline: at the latest until then; never longer than the acquire timeout.
    ///   - site: who borrows, for leak reports.
    package func acquire(
        deadline: MonotonicInstant = .distantFuture, site: BorrowSite
    ) async throws(PoolError) -> Lease<D> {
        let limit = min(deadline, runtime.now.advanced(by: configuration.acquireTimeout))
        var tries = 0
        var turn: Turn?
        while true {
            if Task.isCancelled { throw .cancelled }
            let decision = transition { state, now -> (AcquireDecision, Connection?) in
                let decision = state.machine.acquire(now: now, deadline: limit, site: site, turn: turn)
                guard case .lend(let handle) = decision else { return (decision, nil) }
                return (decision, state.connections[handle.slot])
            }
            let handle: ConnectionHandle
            let connection: Connection
            switch decision {
            case (.lend(let lent), let itsConnection?): (handle, connection) = (lent, itsConnection)
            case (.lend(let lent), nil): preconditionFailure("connection \(lent) was lent but does not exist")
            case (.refuse(let error), _): throw error
            case (.wait(let waiter), _):
                switch await wait(waiter) {
                case .lent(let lent, let itsConnection): (handle, connection) = (lent, itsConnection)
                case .refused(let error): throw error
                }
            }
            // The hand-over is acknowledged here: what a cancelled or unlucky borrower got goes to the next one.
            if Task.isCancelled {
                transition { $0.machine.returnUnused(handle, now: $1) }
                throw .cancelled
            }
            if connection.looksAlive() {
                return Lease(pool: self, handle: handle, connection: connection, site: site)
            }
            turn = transition { $0.machine.returnDead(handle, now: $1) }
            tries += 1
            // Every connection may be dead, but not more often than there can be connections.
            if tries > configuration.maxOpen { throw .onlyDeadConnections(tries: tries) }
        }
    }

    private func wait(_ waiter: Int) async -> Grant {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state -> Grant? in
                    if let grant = state.mailbox.removeValue(forKey: waiter) { return grant }
                    state.parked[waiter] = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            // May come before the continuation is parked; then the refusal waits in the mailbox.
            transition { state, _ in state.machine.cancel(waiter: waiter) }
        }
    }

    // MARK: Release

    /// Called by the lease, once.
    func release(_ handle: ConnectionHandle, _ condition: ReleaseCondition) {
        transition { $0.machine.release(handle, condition, now: $1) }
    }

    /// Called by the lease when a call on its connection proved it dead.
    func noteLoss(_ handle: ConnectionHandle) {
        transition { $0.machine.lost(handle, now: $1) }
    }

    // MARK: Observation

    /// Counters and gauges now.
    package var metrics: PoolMetrics { state.withLock { $0.machine.snapshot() } }

    package var gauges: PoolGauges { state.withLock { $0.machine.gauges } }

    /// The leases that are out now, with their server processes.
    package var openLeases: [(lease: PoolStateMachine.OpenLease, backendPID: Int?)] {
        state.withLock { state in
            state.machine.openLeases.map { ($0, state.connections[$0.connection.slot]?.backendPID) }
        }
    }

    package func countRetry() { state.withLock { $0.machine.metrics.retries += 1 } }

    // MARK: Close

    /// Ends the pool: waiting acquires are refused, idle connections closed. Leases may come back within the limit; then
    /// their connections are cut.
    ///
    /// - Parameter limit: how long leases may take; the configured close timeout where `nil`.
    /// - Returns: the number of leases that were cut. A second call waits for the first, whatever its own limit.
    package func close(within limit: Duration? = nil) async -> Int {
        let limit = limit ?? configuration.closeTimeout
        transition { $0.machine.close(now: $1, cutAt: $1.advanced(by: limit)) }
        let cut = await withCheckedContinuation { continuation in
            let done = state.withLock { state -> Int? in
                if state.closedWith == nil { state.closeWaiters.append(continuation) }
                return state.closedWith
            }
            if let done { continuation.resume(returning: done) }
        }
        alarm.withLock { $0.take() }?.cancel()
        return cut
    }
}
