import RigModel
import Threading

/// What the machine's actions do in the world.
extension PoolCore {
    /// An action with what it needs from the state, ready to run outside the lock.
    enum Effect {
        case connect(ConnectionHandle, deadline: MonotonicInstant)
        case check(ConnectionHandle, any DriverConnection, deadline: MonotonicInstant)
        case reset(ConnectionHandle, any DriverConnection, deadline: MonotonicInstant)
        case close(ConnectionHandle, any DriverConnection, deadline: MonotonicInstant)
        case abort(any DriverConnection)
        case cancelStatement(any DriverConnection, deadline: MonotonicInstant)
        case cancel(Task<Void, Never>)
        case resume(ParkingLot.Continuation, ParkingLot.Grant)
    }

    /// Called under the lock. Answers for waiters and news are put into the state; `nil`: nothing is left to do.
    func prepare(_ action: PoolAction, _ state: inout State) -> Effect? {
        func connection(_ handle: ConnectionHandle) -> any DriverConnection {
            guard let connection = state.connections[handle.slot] else {
                preconditionFailure("\(action) for a connection that does not exist")
            }
            return connection
        }
        func deliver(_ grant: ParkingLot.Grant, _ waiter: Int) -> Effect? {
            state.waiters.deliver(grant, to: waiter).map { .resume($0, grant) }
        }
        switch action {
        case .connect(let handle, let deadline):
            // The pool may have been made larger.
            while state.connections.count <= handle.slot { state.connections.append(nil) }
            return .connect(handle, deadline: deadline)
        case .check(let handle, let deadline): return .check(handle, connection(handle), deadline: deadline)
        case .reset(let handle, let deadline): return .reset(handle, connection(handle), deadline: deadline)
        case .close(let handle, _, let deadline): return .close(handle, connection(handle), deadline: deadline)
        case .cut(let handle):
            defer { state.connections[handle.slot] = nil }
            return .abort(connection(handle))
        case .abort(let handle): return .abort(connection(handle))
        case .cancelConnect(let handle): return state.connectTasks[handle.serial].map { .cancel($0) }
        case .grant(let waiter, let handle):
            guard let lent = state.lent(handle) else { preconditionFailure("\(handle) was granted but does not exist") }
            return deliver(.lent(lent), waiter)
        case .refuse(let waiter, let error): return deliver(.refused(error), waiter)
        case .cancelStatement(let handle, let deadline): return .cancelStatement(connection(handle), deadline: deadline)
        case .filled:
            state.news.append(.filled)
            return nil
        case .notice(let notice):
            if observer != nil {
                state.news.append(.notice(notice, backendPID: state.connections[notice.handle.slot]?.backendPID))
            }
            return nil
        case .closed(let leasesCut):
            state.news.append(.closed(leasesCut: leasesCut))
            return nil
        }
    }

    func perform(_ effect: Effect) {
        switch effect {
        case .connect(let handle, let deadline): startConnect(handle, deadline: deadline)
        case .check(let handle, let connection, let deadline):
            runtime.run(near: connection.affinity) { [self] in
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
            runtime.run(near: connection.affinity) { [self] in
                var failure: DriverError?
                do throws(DriverError) { try await connection.reset(configuration.reset, deadline: deadline) } catch {
                    failure = error
                }
                let clean = failure == nil && connection.transactionStatus == .idle
                transition {
                    $0.machine.wasReset(handle, clean: clean, provesLoss: failure?.provesLoss ?? false, now: $1)
                }
            }
        case .close(let handle, let connection, let deadline):
            runtime.run(near: connection.affinity) { [self] in
                await connection.close(deadline: deadline)
                transition { state, now in
                    state.connections[handle.slot] = nil
                    state.machine.disconnected(handle, now: now)
                }
            }
        case .abort(let connection): connection.abort()
        case .cancelStatement(let connection, let deadline):
            runtime.run(near: connection.affinity) { await connection.cancelRunningStatement(deadline: deadline) }
        case .cancel(let task): task.cancel()
        case .resume(let continuation, let grant): continuation.resume(returning: grant)
        }
    }

    private func startConnect(_ handle: ConnectionHandle, deadline: MonotonicInstant) {
        let startedAt = runtime.now
        let task = runtime.run(near: -1) { [self] in
            do throws(DriverError) {
                let connection = try await connect(deadline)
                let took = startedAt.duration(to: runtime.now)
                if let listener = idleListener.withLock({ $0 }) { connection.onIdleEvent { listener(handle) } }
                observer?.poolConnected(handle, backendPID: connection.backendPID, took: took)
                transition { state, now in
                    state.connectTasks[handle.serial] = nil
                    state.connections[handle.slot] = connection
                    state.machine.connected(handle, affinity: connection.affinity, now: now)
                }
            } catch {
                // A connect is cancelled only because the pool closes: that is no news.
                if error.cause != .cancelled { observer?.poolConnectFailed(error) }
                transition { state, now in
                    state.connectTasks[handle.serial] = nil
                    state.machine.connectFailed(handle, error.description, now: now)
                }
            }
        }
        let isTooLate = state.withLock { state in
            // It may have answered already; then there is nothing to cancel any more.
            guard state.machine.slot(of: handle, in: .connecting) != nil else { return false }
            state.connectTasks[handle.serial] = task
            // Or the pool was closed between the decision and here, and found no task to cancel.
            return state.machine.phase != .running
        }
        if isTooLate { task.cancel() }
    }
}
