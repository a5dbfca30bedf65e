import RigModel
import Threading

/// Who gets which connection, and which connections are opened, proven and closed for that.
extension PoolStateMachine {
    /// Checks in flight that a waiter may count on.
    var promisingChecks: Int { checking - slowChecks }

    /// A connection more would be used: someone waits for it, `minIdle` asks for it, or an open breaker probes with it.
    var wantsConnection: Bool {
        guard phase == .running, !isSuspended, occupied < configuration.maxOpen else { return false }
        if isBreakerOpen { return occupied == 0 }
        return idleStack.count + connecting + promisingChecks < configuration.idleTarget + waiters.count
    }

    /// Connects in flight at the most: while they fail, one tries for all.
    var connectLimit: Int { connectFailuresInRow > 0 ? 1 : configuration.maxConnecting }

    /// Orders what the waiters and `minIdle` need: lends fresh idle connections, checks doubtful ones, opens new ones.
    /// Every event ends with it. O(1) while nobody waits; for each one that it serves that of ``popFreshIdle(_:)``.
    mutating func supply(_ now: MonotonicInstant) {
        guard phase == .running, !isSuspended else { return }
        while !waiters.isEmpty, let slot = popFreshIdle(now) { grantToFirst(slot, now) }
        // What is idle now is doubtful, or nobody wants it.
        while promisingChecks < waiters.count, let slot = idleStack.popLast() { beginCheck(slot, now) }
        while wantsConnection, connecting < connectLimit, now >= noConnectBefore, now >= nextConnectAt {
            beginConnect(now)
        }
    }

    /// Takes the idle connection that is first in the idle order among those that need no check, and retires those that are
    /// too old on the way. O(1) when the first one is fresh and stands at the end of the array. Else O(idle), and once more
    /// for each one that it retires: in the order ``IdleOrder/roundRobin``, where the first one stands at the beginning, and
    /// after passing over some that need a check.
    mutating func popFreshIdle(_ now: MonotonicInstant) -> Int? {
        let isRoundRobin = configuration.idleOrder == .roundRobin
        var passed = 0
        while passed < idleStack.count {
            let index = isRoundRobin ? passed : idleStack.count - 1 - passed
            let slot = idleStack[index]
            if now >= slots[slot].expiresAt {
                idleStack.remove(at: index)
                beginClose(slot, .maxLifetime, now)
            } else if isFresh(slot, now) {
                return idleStack.remove(at: index)
            } else {
                passed += 1
            }
        }
        return nil
    }

    private mutating func beginConnect(_ now: MonotonicInstant) {
        guard let slot = freeSlots.popLast() else { preconditionFailure("no free slot although \(occupied) are taken") }
        slots[slot] = Slot(state: .connecting, serial: nextSerial, since: now, generation: generation)
        nextSerial += 1
        connecting += 1
        if let connectInterval { nextConnectAt = now.advanced(by: connectInterval) }
        actions.append(.connect(handle(slot), deadline: now.advanced(by: configuration.connectTimeout)))
    }

    /// The slot must have left its former state's count.
    mutating func beginCheck(_ slot: Int, _ now: MonotonicInstant) {
        slots[slot].state = .checking
        slots[slot].since = now
        slots[slot].askedAtGeneration = generation
        checking += 1
        // In time to see that it is slow.
        maintenanceAt = min(maintenanceAt, now.advanced(by: configuration.slowCheckLimit))
        actions.append(.check(handle(slot), deadline: now.advanced(by: configuration.checkTimeout)))
    }

    /// The slot must have left its former state's count.
    mutating func beginReset(_ slot: Int, _ now: MonotonicInstant) {
        slots[slot].state = .resetting
        slots[slot].since = now
        slots[slot].askedAtGeneration = generation
        resetting += 1
        metrics.resets += 1
        actions.append(.reset(handle(slot), deadline: now.advanced(by: configuration.releaseTimeout)))
    }

    /// The slot must have left its former state's count.
    mutating func beginClose(_ slot: Int, _ reason: CloseReason, _ now: MonotonicInstant) {
        switch reason {
        case .maxLifetime: metrics.maxLifetimeClosed += 1
        case .maxIdle: metrics.maxIdleClosed += 1
        case .maxIdleTime: metrics.maxIdleTimeClosed += 1
        case .lost, .unusable, .leaked: metrics.lostClosed += 1
        case .poolClosed, .resized, .retired: break
        }
        if reason == .lost, !slots[slot].hasAnswered { noteDeadOnArrival(slot, now) }
        slots[slot].state = .closing
        slots[slot].since = now
        closing += 1
        // After the limit of the pool's own close there is no time for a goodbye.
        let deadline = phase == .cut ? now : now.advanced(by: configuration.releaseTimeout)
        actions.append(.notice(.closing(handle(slot), reason)))
        actions.append(.close(handle(slot), reason, deadline: deadline))
    }

    /// A connection is ready: the first waiter gets it, else it becomes idle, else it is too many. A suspect one is proven
    /// first. The slot must have left its former state's count.
    mutating func makeAvailable(_ slot: Int, _ now: MonotonicInstant) {
        if phase != .running {
            beginClose(slot, .poolClosed, now)
        } else if now >= slots[slot].expiresAt {
            beginClose(slot, .maxLifetime, now)
        } else if slots[slot].serial < retiredBelow {
            beginClose(slot, .retired, now)
        } else if isShrinking, occupied - closing >= configuration.maxOpen {
            // This slot is in no count now, so it is one too many already.
            beginClose(slot, .resized, now)
        } else if slots[slot].generation < generation {
            beginCheck(slot, now)
        } else if !waiters.isEmpty, !isSuspended {
            grantToFirst(slot, now)
        } else if idleStack.count >= idleLimit {
            beginClose(slot, .maxIdle, now)
        } else {
            becomeIdle(slot, now)
        }
    }

    /// It takes its place by its last use: at the end when it comes from a borrower, further down after a check. O(1) at the
    /// end, else O(idle). The slot must have left its former state's count.
    mutating func becomeIdle(_ slot: Int, _ now: MonotonicInstant) {
        slots[slot].state = .idle
        slots[slot].since = now
        var place = idleStack.count
        while place > 0, slots[idleStack[place - 1]].useTurn > slots[slot].useTurn { place -= 1 }
        idleStack.insert(slot, at: place)
    }

    /// It was proven alive so recently that it is lent without a check.
    func isFresh(_ slot: Int, _ now: MonotonicInstant) -> Bool {
        now.nanoseconds < slots[slot].provenAt.nanoseconds + checkAfterIdleNanoseconds
    }

    /// One proven loss makes everything that was proven before it suspect: what is idle is checked at once, what is in use
    /// or on its way when it becomes available. A loss of something that was suspect already tells nothing new.
    mutating func noteLoss(of slot: Int, _ now: MonotonicInstant) {
        guard phase == .running, slots[slot].generation == generation else { return }
        generation += 1
        let suspects = idleStack
        idleStack = []
        for suspect in suspects { beginCheck(suspect, now) }
    }

    private mutating func grantToFirst(_ slot: Int, _ now: MonotonicInstant) {
        let waiter = waiters.popFirst(near: slots[slot].affinity, overtakingNanoseconds: overtakingNanoseconds)
        guard let waiter else { preconditionFailure("a grant without a waiter") }
        lend(slot, to: waiter.turn, waiter.site, queued: true, now)
        actions.append(.grant(waiter: waiter.turn.ticket, handle(slot)))
    }

    /// The slot must have left its former state's count.
    mutating func lend(_ slot: Int, to turn: Turn, _ site: BorrowSite?, queued: Bool, _ now: MonotonicInstant) {
        slots[slot].state = .leased
        slots[slot].since = now
        slots[slot].turn = turn
        slots[slot].wasQueued = queued
        slots[slot].site = site
        slots[slot].leakReported = false
        leased += 1
        metrics.acquireCount += 1
        if isInstrumented { metrics.acquireWait.add(nanoseconds: Int64(now.nanoseconds - turn.arrivedAt.nanoseconds)) }
        guard queued else { return }
        let waited = turn.arrivedAt.duration(to: now)
        metrics.waitCount += 1
        metrics.waitDuration += waited
    }

    /// The borrower did not take what it was lent. The histogram keeps the wait: it was one.
    mutating func takeBackUntaken(_ slot: Int) {
        leased -= 1
        metrics.acquireCount -= 1
        if slots[slot].leakReported { actions.append(.notice(.leakCleared(handle(slot)))) }
        guard slots[slot].wasQueued else { return }
        metrics.waitCount -= 1
        metrics.waitDuration -= slots[slot].turn.arrivedAt.duration(to: slots[slot].since)
    }
}
