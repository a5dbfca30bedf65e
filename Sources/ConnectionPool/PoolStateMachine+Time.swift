public import Threading

extension PoolStateMachine {
    /// Time has passed. May be called early, or for nothing.
    public mutating func alarmFired(now: MonotonicInstant) {
        while let waiter = waiters.popExpired(now: now) {
            metrics.acquireTimeouts += 1
            actions.append(
                .refuse(waiter: waiter.turn.ticket, timeout(waited: waiter.turn.arrivedAt.duration(to: now))))
        }
        if case .closing(let cancelAt, let cutAt) = phase {
            if let cancelAt, now >= cancelAt { cancelStatements(cutAt) }
            if now >= cutAt { cut(now) }
        }
        if now >= maintenanceAt {
            // First, since checks that are running then move it forward.
            maintenanceAt = now.advanced(by: configuration.maintenanceInterval)
            maintain(now)
        }
        supply(now)
    }

    /// Looks over all connections. O(connections).
    private mutating func maintain(_ now: MonotonicInstant) {
        if phase == .running {
            maintainIdle(now)
            noteSlowChecks(now)
        }
        reportLeaks(now)
    }

    /// Retires and checks idle connections, beginning with the one that was used longest ago.
    private mutating func maintainIdle(_ now: MonotonicInstant) {
        var kept: [Int] = []
        var idle = idleStack.count
        // Not all at once: an acquire that came now would have to wait for its turn.
        var checksAllowed = max(1, idle / 4)
        for slot in idleStack {
            let idleFor = slots[slot].usedAt.duration(to: now)
            if now >= slots[slot].expiresAt {
                beginClose(slot, .maxLifetime, now)
                idle -= 1
            } else if let limit = configuration.maxIdleTime, idleFor >= limit, idle > configuration.idleTarget {
                beginClose(slot, .maxIdleTime, now)
                idle -= 1
            } else if checksAllowed > 0,
                now.nanoseconds - min(now.nanoseconds, slots[slot].provenAt.nanoseconds)
                    >= slots[slot].checkIntervalNanoseconds
            {
                checksAllowed -= 1
                beginCheck(slot, now)
            } else {
                kept.append(slot)
            }
        }
        idleStack = kept
    }

    /// A check of a frozen server may take its whole limit, which is as long as an acquire may wait. So nobody counts on it
    /// once it is slow: another connection is tried meanwhile.
    private mutating func noteSlowChecks(_ now: MonotonicInstant) {
        guard promisingChecks > 0 else { return }
        for slot in slots.indices where slots[slot].state == .checking && !slots[slot].isSlow {
            let isSlowAt = slots[slot].since.advanced(by: configuration.slowCheckLimit)
            if now >= isSlowAt {
                slots[slot].isSlow = true
                slowChecks += 1
            } else {
                maintenanceAt = min(maintenanceAt, isSlowAt)
            }
        }
    }

    private mutating func reportLeaks(_ now: MonotonicInstant) {
        guard let threshold = configuration.leakThreshold else { return }
        for slot in slots.indices where slots[slot].state == .leased && !slots[slot].leakReported {
            let held = slots[slot].since.duration(to: now)
            guard held >= threshold, let site = slots[slot].site else { continue }
            slots[slot].leakReported = true
            metrics.leaksSuspected += 1
            actions.append(.notice(.leakSuspected(handle(slot), site: site, held: held)))
        }
    }

    // MARK: Closing

    /// Ends the pool: waiters are refused, idle connections closed. Leases may come back by themselves until `cancelAt`; then
    /// the statements that they run are cancelled, and at `cutAt` their connections are cut. A second call does nothing.
    /// `closed` follows as an action.
    public mutating func close(
        now: MonotonicInstant, cancelAt: MonotonicInstant? = nil, cutAt: MonotonicInstant
    ) {
        guard phase == .running else { return }
        phase = .closing(cancelAt: cancelAt.map { min($0, cutAt) }, cutAt: cutAt)
        isBreakerOpen = false
        while let waiter = waiters.popFirst() { actions.append(.refuse(waiter: waiter.turn.ticket, .closed)) }
        for slot in idleStack { beginClose(slot, .poolClosed, now) }
        idleStack = []
        for slot in slots.indices where slots[slot].state == .connecting {
            actions.append(.cancelConnect(handle(slot)))
        }
        finishClosingIfEmpty()
    }

    private mutating func cancelStatements(_ cutAt: MonotonicInstant) {
        phase = .closing(cancelAt: nil, cutAt: cutAt)
        for slot in slots.indices where slots[slot].state == .leased {
            actions.append(.cancelStatement(handle(slot), deadline: cutAt))
        }
    }

    /// The limit has passed. Leases that are still out are cut: their borrowers' objects free them, the pool forgets them.
    /// What the pool does itself on a connection is aborted, so that it answers now and not by its own, later limit.
    private mutating func cut(_ now: MonotonicInstant) {
        phase = .cut
        for slot in slots.indices {
            switch slots[slot].state {
            case .leased:
                actions.append(.cut(handle(slot)))
                endLease(slot, now)
                leasesCut += 1
                freeSlot(slot)
            case .checking, .resetting, .closing: actions.append(.abort(handle(slot)))
            case .free, .connecting, .idle: break
            }
        }
        finishClosingIfEmpty()
    }

    mutating func finishClosingIfEmpty() {
        guard phase != .running, phase != .closed, occupied == 0 else { return }
        phase = .closed
        actions.append(.closed(leasesCut: leasesCut))
    }
}
