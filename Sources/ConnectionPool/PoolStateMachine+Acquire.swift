import RigModel
public import Threading

/// The answer to an acquire.
public enum AcquireDecision: Sendable, Equatable {
    case lend(ConnectionHandle)
    /// The answer comes as a `grant` or `refuse` action for this waiter.
    case wait(Int)
    case refuse(PoolError)
}

/// A borrower's place in the order of arrival.
public struct Turn: Sendable, Equatable {
    /// Counts up with each acquire.
    public let ticket: Int
    public let arrivedAt: MonotonicInstant

    public init(ticket: Int, arrivedAt: MonotonicInstant) {
        self.ticket = ticket
        self.arrivedAt = arrivedAt
    }
}

extension PoolStateMachine {
    /// Someone wants a connection.
    ///
    /// - Parameters:
    ///   - deadline: until when they wait; one budget for queue, connect and check.
    ///   - site: who wants it, for leak reports.
    ///   - affinity: the event loop on which they wait; -1 for none. See ``PoolConfiguration/overtaking``.
    ///   - turn: they come back because the connection that they got proved to be dead, and keep their place in line.
    public mutating func acquire(
        now: MonotonicInstant, deadline: MonotonicInstant, site: BorrowSite? = nil, turn: Turn? = nil,
        affinity: Int32 = -1
    ) -> AcquireDecision {
        guard phase == .running else { return .refuse(.closed) }
        if isBreakerOpen { return .refuse(breakerError(now)) }
        let comesBack = turn != nil
        let turn = turn ?? nextTurn(now)
        defer { supply(now) }
        if waiters.isEmpty, !isSuspended, let slot = popFreshIdle(now) {
            lend(slot, to: turn, site, queued: false, now)
            return .lend(handle(slot))
        }
        if let limit = configuration.maxWaiters, waiters.count >= limit, !comesBack {
            return .refuse(.tooManyWaiters(limit: limit))
        }
        if now >= deadline {
            metrics.acquireTimeouts += 1
            return .refuse(timeout(waited: turn.arrivedAt.duration(to: now)))
        }
        waiters.enqueue(turn, deadline: deadline, site: site, affinity: affinity)
        return .wait(turn.ticket)
    }

    /// A waiting acquire was cancelled. When it was answered already nothing happens: it holds what it got and gives it
    /// back with ``returnUnused(_:now:)``.
    public mutating func cancel(waiter: Int) {
        guard waiters.remove(ticket: waiter) else { return }
        metrics.acquireCancelled += 1
        actions.append(.refuse(waiter: waiter, .cancelled))
    }

    /// The borrower saw its connection die. Everything as old is suspect from now on; the connection itself is closed when
    /// it comes back. Ignored when the pool has cut it meanwhile.
    public mutating func lost(_ handle: ConnectionHandle, now: MonotonicInstant) {
        guard let slot = slot(of: handle, in: .leased) else { return }
        slots[slot].isLost = true
        noteLoss(of: slot, now)
        supply(now)
    }

    /// A connection comes back. Ignored when the pool has cut it meanwhile.
    ///
    /// - Parameter affinity: the event loop that does its waiting now; -1 for none.
    public mutating func release(
        _ handle: ConnectionHandle, _ condition: ReleaseCondition, affinity: Int32 = -1, now: MonotonicInstant
    ) {
        guard let slot = slot(of: handle, in: .leased) else { return }
        slots[slot].affinity = affinity
        endLease(slot, now)
        if slots[slot].leakReported, condition != .leaked { actions.append(.notice(.leakCleared(handle))) }
        switch condition {
        case .leaked:
            if let site = slots[slot].site { actions.append(.notice(.leaked(handle, site: site))) }
            beginClose(slot, .leaked, now)
        case _ where slots[slot].isLost:
            beginClose(slot, .lost, now)
        case .clean:
            // Proves that it lives, but not the generation: its last answer may be older than the loss that raised that.
            slots[slot].provenAt = now
            noteAnswer(slot)
            makeAvailable(slot, now)
        case .needsReset where phase == .running:
            beginReset(slot, now)
        case .needsReset:
            beginClose(slot, .poolClosed, now)
        case .unusable:
            beginClose(slot, .unusable, now)
        }
        supply(now)
    }

    /// A grant was refused: its borrower was cancelled before it could take it. The next one gets it.
    public mutating func returnUnused(_ handle: ConnectionHandle, now: MonotonicInstant) {
        metrics.acquireCancelled += 1
        guard let slot = slot(of: handle, in: .leased) else { return }
        takeBackUntaken(slot)
        makeAvailable(slot, now)
        supply(now)
    }

    /// A look at the socket just before lending showed that the server has closed it.
    ///
    /// - Returns: the borrower's place in line, for its next acquire; `nil` when the pool has cut the lease meanwhile.
    public mutating func returnDead(_ handle: ConnectionHandle, now: MonotonicInstant) -> Turn? {
        guard let slot = slot(of: handle, in: .leased) else { return nil }
        takeBackUntaken(slot)
        noteLoss(of: slot, now)
        beginClose(slot, .lost, now)
        supply(now)
        return slots[slot].turn
    }

    /// The lease ends: what it held is counted.
    mutating func endLease(_ slot: Int, _ now: MonotonicInstant) {
        leased -= 1
        noteUse(slot, now)
        let held = now.nanoseconds - slots[slot].since.nanoseconds
        metrics.leasedNanoseconds &+= held
        if isInstrumented { metrics.leaseDuration.add(nanoseconds: Int64(held)) }
    }

    func timeout(waited: Duration) -> PoolError {
        .acquireTimedOut(
            waited: waited, gauges: gauges, maxOpen: configuration.maxOpen,
            lastConnectFailure: connectFailuresInRow > 0 ? lastConnectFailure : nil)
    }

    private mutating func nextTurn(_ now: MonotonicInstant) -> Turn {
        defer { nextTicket += 1 }
        return Turn(ticket: nextTicket, arrivedAt: now)
    }
}
