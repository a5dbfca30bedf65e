import EventLoop
import Synchronization
public import Threading

/// Acquire and release.
extension PoolCore {
    /// A connection that is there and needs no check. The whole of most acquires: one clock reading, one lock.
    ///
    /// It does not ask whether the task is cancelled (45 ns, a third of an acquire): nothing is waited for, and the first
    /// statement asks.
    ///
    /// - Parameter turn: set to the borrower's place in line when the connection that it got proved dead.
    /// - Returns: `nil` when it takes more than that: ``acquire(deadline:site:turn:)`` goes on.
    public func lendAtOnce(deadline: MonotonicInstant, site: BorrowSite, turn: inout Turn?) -> Lent? {
        if isQueued.load(ordering: .relaxed) { return nil }
        let clock = runtime.now
        guard clock < deadline else { return nil }
        let affinity = EventLoop.currentNumber
        let lent = state.withLock { state -> Lent? in
            state.now = max(state.now, clock)
            guard let handle = state.machine.lendFresh(now: state.now, affinity: affinity, site: site) else {
                return nil
            }
            return state.lent(handle)
        }
        guard let lent else { return nil }
        if lent.looksAlive { return lent }
        turn = giveBackDead(lent.handle)
        return nil
    }

    /// Borrows a connection, and waits for it where it must.
    public func acquire(
        deadline: MonotonicInstant, site: BorrowSite, turn: Turn?
    ) async throws(PoolError) -> Lent {
        let limit = acquireLimit(deadline, now: runtime.now)
        var turn = turn
        var tries = turn == nil ? 0 : 1
        while true {
            if Task.isCancelled { throw .cancelled }
            let affinity = EventLoop.currentNumber
            let (decision, atOnce) = transition { state, now -> (AcquireDecision, Lent?) in
                let decision = state.machine.acquire(
                    now: now, deadline: limit, site: site, turn: turn, affinity: affinity)
                guard case .lend(let handle) = decision else { return (decision, nil) }
                return (decision, state.lent(handle))
            }
            let lent: Lent
            switch (decision, atOnce) {
            case (.lend, let itsConnection?): lent = itsConnection
            case (.lend(let handle), nil): preconditionFailure("connection \(handle) was lent but does not exist")
            case (.refuse(let error), _): throw error
            case (.wait(let waiter), _):
                switch await wait(waiter) {
                case .lent(let granted): lent = granted
                case .refused(let error): throw error
                }
            }
            // The hand-over is acknowledged here: what a cancelled or unlucky borrower got goes to the next one.
            if Task.isCancelled {
                transition { $0.machine.returnUnused(lent.handle, now: $1) }
                throw .cancelled
            }
            if lent.looksAlive { return lent }
            turn = giveBackDead(lent.handle)
            tries += 1
            // Every connection may be dead, but not more often than there can be connections.
            if tries > currentConfiguration.maxOpen { throw .onlyDeadConnections(tries: tries) }
        }
    }

    private func giveBackDead(_ handle: ConnectionHandle) -> Turn? {
        transition { $0.machine.returnDead(handle, now: $1) }
    }

    private func wait(_ waiter: Int) async -> ParkingLot.Grant {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { $0.waiters.park(waiter, continuation) }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            // May come before the continuation is parked; then the refusal waits for it.
            transition { state, _ in state.machine.cancel(waiter: waiter) }
        }
    }

    /// Called by the lease, once.
    public func release(_ handle: ConnectionHandle, _ status: TransactionStatus, affinity: Int32) {
        if status == .idle, configuration.reset != .full, !isQueued.load(ordering: .relaxed) {
            let clock = runtime.now
            let isDone = state.withLock { state in
                if clock > state.now { state.now = clock }
                return state.machine.takeBackClean(handle, affinity: affinity, now: state.now)
            }
            if isDone { return }
        }
        let condition: ReleaseCondition =
            switch status {
            case .idle: configuration.reset == .full ? .needsReset : .clean
            case .inTransaction, .failedTransaction: configuration.reset == .none ? .unusable : .needsReset
            case .unusable: .unusable
            }
        transition { $0.machine.release(handle, condition, affinity: affinity, now: $1) }
    }

    /// Called by a lease that dies unreleased.
    public func noteLeak(_ handle: ConnectionHandle) {
        transition { $0.machine.release(handle, .leaked, affinity: -1, now: $1) }
    }

    /// Called by the lease when a call on its connection proved it dead.
    public func noteLoss(_ handle: ConnectionHandle) {
        transition { $0.machine.lost(handle, now: $1) }
    }
}

extension PoolCore.State {
    func lent(_ handle: ConnectionHandle) -> Lent? {
        guard let connection = connections[handle.slot] else { return nil }
        return Lent(
            handle: handle, connection: connection,
            idleNanoseconds: machine.nanosecondsSinceProof(of: handle, now: now))
    }
}
