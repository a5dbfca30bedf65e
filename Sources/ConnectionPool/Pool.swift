import RigModel
package import Threading

/// The instrumented connection pool: the shell around ``PoolStateMachine``.
///
/// Thread-safe. The lock is held for the transition only; what follows from it runs after unlocking. Every wait has a
/// deadline and ends when its task is cancelled.
///
/// ```swift
/// let user = try await pool.withConnection { lease in
///     try await lease.execute(SQLStatement("select name from users where id = $1", [.int(7)], role: .read))
/// }
/// ```
package final class Pool<D: Driver>: Sendable {
    package typealias Connection = D.Connection

    private struct State: Sendable {
        var machine: PoolStateMachine
        /// Live connections by slot.
        var connections: [Connection?]
        var connectTasks: [Int: Task<Void, Never>] = [:]
        /// Waiters that sleep, and answers for waiters that do not sleep yet.
        var parked: [Int: CheckedContinuation<Grant, Never>] = [:]
        var mailbox: [Int: Grant] = [:]
        var alarmAt: MonotonicInstant?
        var closeWaiters: [CheckedContinuation<Int, Never>] = []
        var closedWith: Int?
    }

    private enum Grant: Sendable {
        case lent(ConnectionHandle, Connection)
        case refused(PoolError)
    }

    private let state: Lock<State>
    private let alarm = Lock<(any PoolAlarm)?>(nil)
    private let driver: D
    private let observer: (any PoolObserver)?
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
            State(
                machine: PoolStateMachine(configuration: configuration, seed: seed, now: createdAt),
                connections: Array(repeating: nil, count: configuration.maxOpen)))
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
        while true {
            if Task.isCancelled { throw .cancelled }
            let again = tries > 0
            let decision = transition { state, now -> (AcquireDecision, Connection?) in
                let decision = state.machine.acquire(now: now, deadline: limit, site: site, again: again)
                guard case .lend(let handle) = decision else { return (decision, nil) }
                return (decision, state.connections[handle.slot])
            }
            let grant: Grant
            switch decision {
            case (.lend(let handle), let connection?): grant = .lent(handle, connection)
            case (.lend(let handle), nil): preconditionFailure("connection \(handle) was lent but does not exist")
            case (.refuse(let error), _): throw error
            case (.wait(let waiter), _): grant = await wait(waiter)
            }
            guard case .lent(let handle, let connection) = grant else {
                if case .refused(let error) = grant { throw error }
                preconditionFailure("a grant is either lent or refused")
            }
            // The hand-over is acknowledged here: what a cancelled or unlucky borrower got goes to the next one.
            if Task.isCancelled {
                transition { $0.machine.returnUnused(handle, now: $1) }
                throw .cancelled
            }
            if connection.looksAlive() {
                return Lease(pool: self, handle: handle, connection: connection, site: site)
            }
            transition { $0.machine.returnDead(handle, now: $1) }
            tries += 1
            // Every connection may be dead, but not more often than there can be connections.
            if tries > configuration.maxOpen { throw transition { state, _ in state.machine.timeout(waited: .zero) } }
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
            transition { state, _ in state.machine.cancel(waiter: waiter) }
        }
    }

    // MARK: Release

    /// Called by the lease, once.
    func release(_ handle: ConnectionHandle, _ condition: ReleaseCondition) {
        transition { $0.machine.release(handle, condition, now: $1) }
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
    /// - Returns: the number of leases that were cut. A second call waits for the first.
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

    // MARK: The shell

    /// Runs a transition under the lock, then what it asks for.
    @discardableResult
    private func transition<R>(_ body: (inout State, MonotonicInstant) -> R) -> R {
        let now = runtime.now
        let (result, effects, newAlarm) = state.withLock { state -> (R, [Effect], MonotonicInstant?) in
            let result = body(&state, now)
            let effects = state.machine.takeActions().compactMap { prepare($0, &state) }
            return (result, effects, moveAlarm(&state, now))
        }
        if let newAlarm { setAlarm(newAlarm) }
        for effect in effects { perform(effect) }
        return result
    }

    /// Only a new earliest time needs a system call; an alarm that comes early finds nothing to do and moves on.
    private func moveAlarm(_ state: inout State, _ now: MonotonicInstant) -> MonotonicInstant? {
        guard let next = state.machine.nextAlarm() else { return nil }
        if let armed = state.alarmAt, armed <= next, armed > now { return nil }
        state.alarmAt = next
        return next
    }

    /// Two threads may come here in the wrong order: whoever finds that the state wants another time sets that one.
    private func setAlarm(_ instant: MonotonicInstant) {
        guard let timer = alarm.withLock({ $0 }) else { return }
        var wanted = instant
        while true {
            timer.set(wanted)
            guard let current = state.withLock({ $0.alarmAt }), current != wanted else { return }
            wanted = current
        }
    }

    /// An action with what it needs from the state, ready to run outside the lock.
    private enum Effect {
        case connect(ConnectionHandle, deadline: MonotonicInstant)
        case check(ConnectionHandle, Connection, deadline: MonotonicInstant)
        case reset(ConnectionHandle, Connection, deadline: MonotonicInstant)
        case close(ConnectionHandle, Connection, deadline: MonotonicInstant)
        case cut(Connection)
        case cancel(Task<Void, Never>)
        case resume(CheckedContinuation<Grant, Never>, Grant)
        case notice(PoolNotice, backendPID: Int?)
        case closed([CheckedContinuation<Int, Never>], leasesCut: Int)
    }

    private func prepare(_ action: PoolAction, _ state: inout State) -> Effect? {
        func connection(_ handle: ConnectionHandle) -> Connection {
            guard let connection = state.connections[handle.slot] else {
                preconditionFailure("\(action) for a connection that does not exist")
            }
            return connection
        }
        func deliver(_ waiter: Int, _ grant: Grant) -> Effect? {
            if let continuation = state.parked.removeValue(forKey: waiter) { return .resume(continuation, grant) }
            state.mailbox[waiter] = grant
            return nil
        }
        switch action {
        case .connect(let handle, let deadline): return .connect(handle, deadline: deadline)
        case .check(let handle, let deadline): return .check(handle, connection(handle), deadline: deadline)
        case .reset(let handle, let deadline): return .reset(handle, connection(handle), deadline: deadline)
        case .close(let handle, _, let deadline):
            defer { state.connections[handle.slot] = nil }
            return .close(handle, connection(handle), deadline: deadline)
        case .cut(let handle):
            defer { state.connections[handle.slot] = nil }
            return .cut(connection(handle))
        case .cancelConnect(let handle): return state.connectTasks[handle.serial].map { .cancel($0) }
        case .grant(let waiter, let handle): return deliver(waiter, .lent(handle, connection(handle)))
        case .refuse(let waiter, let error): return deliver(waiter, .refused(error))
        case .notice(let notice):
            guard observer != nil else { return nil }
            return .notice(notice, backendPID: state.connections[notice.handle.slot]?.backendPID)
        case .closed(let leasesCut):
            state.closedWith = leasesCut
            defer { state.closeWaiters = [] }
            return .closed(state.closeWaiters, leasesCut: leasesCut)
        }
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .connect(let handle, let deadline): startConnect(handle, deadline: deadline)
        case .check(let handle, let connection, let deadline):
            runtime.run { [self] in
                var failure: DriverError?
                if connection.looksAlive() {
                    do throws(DriverError) { try await connection.check(deadline: deadline) } catch { failure = error }
                } else {
                    failure = DriverError(.connectionLost, "closed by the server while idle", requestSent: false)
                }
                transition {
                    $0.machine.checked(
                        handle, alive: failure == nil, provesLoss: failure?.provesLoss ?? false, now: $1)
                }
            }
        case .reset(let handle, let connection, let deadline):
            runtime.run { [self] in
                var failure: DriverError?
                do throws(DriverError) { try await connection.reset(deadline: deadline) } catch { failure = error }
                let clean = failure == nil && connection.transactionStatus == .idle
                transition {
                    $0.machine.wasReset(handle, clean: clean, provesLoss: failure?.provesLoss ?? false, now: $1)
                }
            }
        case .close(let handle, let connection, let deadline):
            runtime.run { [self] in
                await connection.close(deadline: deadline)
                transition { $0.machine.disconnected(handle, now: $1) }
            }
        case .cut(let connection): connection.abort()
        case .cancel(let task): task.cancel()
        case .resume(let continuation, let grant): continuation.resume(returning: grant)
        case .notice(let notice, let backendPID): observer?.poolNoticed(notice, backendPID: backendPID)
        case .closed(let waiting, let leasesCut): for waiter in waiting { waiter.resume(returning: leasesCut) }
        }
    }

    private func startConnect(_ handle: ConnectionHandle, deadline: MonotonicInstant) {
        let startedAt = runtime.now
        let task = runtime.run { [self] in
            do throws(DriverError) {
                let connection = try await driver.connect(deadline: deadline)
                let took = startedAt.duration(to: runtime.now)
                observer?.poolConnected(handle, backendPID: connection.backendPID, took: took)
                transition { state, now in
                    state.connectTasks[handle.serial] = nil
                    state.connections[handle.slot] = connection
                    state.machine.connected(handle, now: now)
                }
            } catch {
                observer?.poolConnectFailed(error)
                transition { state, now in
                    state.connectTasks[handle.serial] = nil
                    state.machine.connectFailed(handle, error.description, now: now)
                }
            }
        }
        state.withLock { state in
            // It may have answered already; then there is nothing to cancel any more.
            if state.machine.slot(of: handle, in: .connecting) != nil { state.connectTasks[handle.serial] = task }
        }
    }
}

/// Is told what the pool does. Called outside the pool's lock, on any thread; must not block.
package protocol PoolObserver: Sendable {
    func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration)
    func poolConnectFailed(_ error: DriverError)
    func poolNoticed(_ notice: PoolNotice, backendPID: Int?)
}

extension PoolNotice {
    var handle: ConnectionHandle {
        switch self {
        case .leakSuspected(let handle, _, _), .leakCleared(let handle), .leaked(let handle, _),
            .closing(let handle, _):
            handle
        }
    }
}
