import RigModel
package import Threading

/// The answer to an acquire.
package enum AcquireDecision: Sendable, Equatable {
    case lend(ConnectionHandle)
    /// The answer comes as a `grant` or `refuse` action for this waiter.
    case wait(Int)
    case refuse(PoolError)
}

extension PoolStateMachine {
    /// Someone wants a connection.
    ///
    /// - Parameters:
    ///   - deadline: until when they wait; one budget for queue, connect and check.
    ///   - site: who wants it, for leak reports.
    ///   - again: they come back because the connection that they got proved to be dead: to the front of the queue.
    package mutating func acquire(
        now: MonotonicInstant, deadline: MonotonicInstant, site: BorrowSite? = nil, again: Bool = false
    ) -> AcquireDecision {
        guard phase == .running else { return .refuse(.closed) }
        if waiters.isEmpty || again, let slot = popUsableIdle(now) {
            if !needsCheck(slot, now) {
                lend(slot, site, now)
                countAcquire(waited: .zero, queued: false)
                return .lend(handle(slot))
            }
            idleStack.append(slot)  // supply decides how many are checked at once
        }
        if let limit = configuration.maxWaiters, waiters.count >= limit, !again {
            return .refuse(.tooManyWaiters(limit: limit))
        }
        if now >= deadline {
            metrics.acquireTimeouts += 1
            return .refuse(timeout(waited: .zero))
        }
        let waiter = waiters.enqueue(now: now, deadline: deadline, site: site, atFront: again)
        supply(now)
        return .wait(waiter)
    }

    /// A waiting acquire was cancelled. When it was answered already nothing happens: it holds what it got and gives it
    /// back with ``returnUnused(_:now:)``.
    package mutating func cancel(waiter: Int) {
        guard waiters.remove(serial: waiter) else { return }
        metrics.acquireCancelled += 1
        actions.append(.refuse(waiter: waiter, .cancelled))
    }

    /// A connection comes back. Ignored when the pool has cut it meanwhile.
    package mutating func release(_ handle: ConnectionHandle, _ condition: ReleaseCondition, now: MonotonicInstant) {
        guard let slot = slot(of: handle, in: .leased) else { return }
        leased -= 1
        let held = slots[slot].since.duration(to: now)
        metrics.leasedDuration += held
        metrics.leaseDuration.add(nanoseconds: held.nanoseconds)
        if slots[slot].leakReported, condition != .leaked { actions.append(.notice(.leakCleared(handle))) }
        switch condition {
        case .clean:
            prove(slot, now)
            makeAvailable(slot, now)
        case .needsReset where phase == .running:
            slots[slot].state = .resetting
            slots[slot].since = now
            resetting += 1
            metrics.resets += 1
            actions.append(.reset(handle, deadline: now.advanced(by: configuration.releaseTimeout)))
        case .needsReset:
            beginClose(slot, .poolClosed, now)
        case .lost:
            noteLoss(of: slot, now)
            beginClose(slot, .lost, now)
        case .unusable:
            beginClose(slot, .unusable, now)
        case .leaked:
            if let site = slots[slot].site { actions.append(.notice(.leaked(handle, site: site))) }
            beginClose(slot, .leaked, now)
        }
        supply(now)
    }

    /// A grant was refused: its borrower was cancelled before it could take it. The next one gets it.
    package mutating func returnUnused(_ handle: ConnectionHandle, now: MonotonicInstant) {
        metrics.acquireCount -= 1
        metrics.acquireCancelled += 1
        guard let slot = slot(of: handle, in: .leased) else { return }
        leased -= 1
        makeAvailable(slot, now)
        supply(now)
    }

    /// A look at the socket just before lending showed that the server has closed it. The borrower acquires again.
    package mutating func returnDead(_ handle: ConnectionHandle, now: MonotonicInstant) {
        metrics.acquireCount -= 1
        guard let slot = slot(of: handle, in: .leased) else { return }
        leased -= 1
        noteLoss(of: slot, now)
        beginClose(slot, .lost, now)
        supply(now)
    }

    /// A round trip succeeded at this time.
    mutating func prove(_ slot: Int, _ now: MonotonicInstant) {
        slots[slot].provenAt = now
        // Not the generation: this borrower's last answer may be older than the loss that raised it.
    }

    func timeout(waited: Duration) -> PoolError {
        .acquireTimedOut(
            waited: waited, gauges: gauges, maxOpen: configuration.maxOpen,
            lastConnectFailure: connectFailuresInRow > 0 ? lastConnectFailure : nil)
    }
}
