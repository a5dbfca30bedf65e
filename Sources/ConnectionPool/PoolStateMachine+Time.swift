package import Threading

extension PoolStateMachine {
    /// Time has passed. May be called early, or for nothing.
    package mutating func alarmFired(now: MonotonicInstant) {
        while let waiter = waiters.popExpired(now: now) {
            metrics.acquireTimeouts += 1
            actions.append(.refuse(waiter: waiter.serial, timeout(waited: waiter.enqueuedAt.duration(to: now))))
        }
        if case .closing(let cutAt) = phase, now >= cutAt { cutLeases(now) }
        if now >= maintenanceAt {
            maintain(now)
            maintenanceAt = now.advanced(by: configuration.maintenanceInterval)
        }
        supply(now)
    }

    /// Retires and checks idle connections, and reports leases that are held for too long. O(connections).
    private mutating func maintain(_ now: MonotonicInstant) {
        if phase == .running {
            var kept: [Int] = []
            var idle = idleStack.count
            // Not all at once: an acquire that came now would have to wait for its turn.
            var checksAllowed = max(1, idle / 4)
            // From the one that was used longest ago.
            for slot in idleStack {
                let idleFor = slots[slot].since.duration(to: now)
                if now >= slots[slot].expiresAt {
                    beginClose(slot, .maxLifetime, now)
                    idle -= 1
                } else if let limit = configuration.maxIdleTime, idleFor >= limit, idle > configuration.minIdle {
                    beginClose(slot, .maxIdleTime, now)
                    idle -= 1
                } else if checksAllowed > 0, isDueForCheck(slot, now) {
                    checksAllowed -= 1
                    beginCheck(slot, now)
                } else {
                    kept.append(slot)
                }
            }
            idleStack = kept
        }
        guard let threshold = configuration.leakThreshold else { return }
        for slot in slots.indices where slots[slot].state == .leased && !slots[slot].leakReported {
            let held = slots[slot].since.duration(to: now)
            guard held >= threshold, let site = slots[slot].site else { continue }
            slots[slot].leakReported = true
            metrics.leaksSuspected += 1
            actions.append(.notice(.leakSuspected(handle(slot), site: site, held: held)))
        }
    }

    private func isDueForCheck(_ slot: Int, _ now: MonotonicInstant) -> Bool {
        slots[slot].generation < generation
            || slots[slot].provenAt.duration(to: now) >= configuration.healthCheckInterval
    }

    // MARK: Closing

    /// Ends the pool: waiters are refused, idle connections closed; leases may come back until `cutAt`, then they are
    /// cut. A second call does nothing. `closed` follows as an action.
    package mutating func close(now: MonotonicInstant, cutAt: MonotonicInstant) {
        guard phase == .running else { return }
        phase = .closing(cutAt: cutAt)
        while let waiter = waiters.popFirst() { actions.append(.refuse(waiter: waiter.serial, .closed)) }
        for slot in idleStack { beginClose(slot, .poolClosed, now) }
        idleStack = []
        for slot in slots.indices where slots[slot].state == .connecting {
            actions.append(.cancelConnect(handle(slot)))
        }
        finishClosingIfEmpty()
    }

    /// Cuts the leases that are still out. Their borrowers' objects free them; the pool forgets them.
    private mutating func cutLeases(_ now: MonotonicInstant) {
        for slot in slots.indices where slots[slot].state == .leased {
            actions.append(.cut(handle(slot)))
            leased -= 1
            leasesCut += 1
            freeSlot(slot)
        }
        phase = .closing(cutAt: .distantFuture)
        finishClosingIfEmpty()
    }

    mutating func finishClosingIfEmpty() {
        guard case .closing = phase, occupied == 0 else { return }
        phase = .closed
        actions.append(.closed(leasesCut: leasesCut))
    }
}
