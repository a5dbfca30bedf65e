import ConnectionPool
import Threading

/// What borrowers do, as the pool's shell tells it.
extension SimulatedWorld {
    /// - Parameter isQuick: the short way first.
    mutating func acquire(within budget: Int, loop: Int32, isQuick: Bool) throws(SimulationFailure) {
        arrivals += 1
        let deadline = MonotonicInstant(nanoseconds: now.nanoseconds &+ UInt64(max(0, budget)))
        let waiter = SimulatedWaiter(
            ticket: -1, arrival: arrivals, arrivedAt: now, deadline: deadline, loop: loop, line: UInt(arrivals))
        let site = BorrowSite(file: "simulation", line: waiter.line)
        if isQuick, now < deadline {
            transition += 1
            let lent = machine.lendFresh(now: now, affinity: loop, site: site)
            if let lent {
                coverage.add(.lentFast)
                try checkLentFromIdle(lent, loop: loop)
                try lend(lent, to: waiter)
            }
            try look()
            if lent != nil { return }
        }
        try acquire(waiter, site, turn: nil)
    }

    private mutating func acquire(
        _ waiter: SimulatedWaiter, _ site: BorrowSite, turn: Turn?
    ) throws(SimulationFailure) {
        transition += 1
        let decision = machine.acquire(
            now: now, deadline: waiter.deadline, site: site, turn: turn, affinity: waiter.loop)
        switch decision {
        case .lend(let handle):
            coverage.add(.lentAtOnce)
            try checkLentFromIdle(handle, loop: nil)
            try lend(handle, to: waiter)
        case .wait(let ticket):
            try enqueue(waiter, ticket: ticket, turn: turn)
        case .refuse(let error):
            try checkRefusal(error, waiter, comesBack: turn != nil)
        }
        try look()
    }

    private mutating func enqueue(
        _ newcomer: SimulatedWaiter, ticket: Int, turn: Turn?
    ) throws(SimulationFailure) {
        if isClosing { throw failure("a pool that is closing lets somebody wait") }
        if mustBeBroken { throw failure("somebody may wait although the breaker must be open") }
        if let turn, turn.ticket != ticket { throw failure("ticket \(turn.ticket) came back and became \(ticket)") }
        if turn == nil {
            if ticket <= lastTicket { throw failure("ticket \(ticket) after \(lastTicket)") }
            lastTicket = ticket
        }
        if waiters.contains(where: { $0.ticket == ticket }) { throw failure("two wait with ticket \(ticket)") }
        if turn == nil, let limit = configuration.maxWaiters, waiters.count >= limit {
            throw failure("\(waiters.count + 1) wait, but at most \(limit) may")
        }
        var waiter = newcomer
        waiter.ticket = ticket
        let place = waiters.firstIndex { $0.arrival > waiter.arrival } ?? waiters.count
        // Whoever comes back to a place in the middle is served in turn only.
        if place < waiters.count { waiter.loop = -1 }
        waiters.insert(waiter, at: place)
        mix(ticket)
    }

    private mutating func checkRefusal(
        _ error: PoolError, _ waiter: SimulatedWaiter, comesBack: Bool
    ) throws(SimulationFailure) {
        switch error {
        case .closed:
            coverage.add(.refusedClosed)
            if !isClosing { throw failure("refused as closed by a pool that is open") }
        case .tooManyWaiters(let limit):
            coverage.add(.refusedTooMany)
            if comesBack { throw failure("one who came back from a dead connection is one too many") }
            if limit != configuration.maxWaiters || waiters.count < limit {
                throw failure("refused although only \(waiters.count) wait")
            }
        case .acquireTimedOut:
            coverage.add(.refusedLate)
            counts.timeouts += 1
            if now < waiter.deadline { throw failure("timed out before its time") }
        case .breakerOpen:
            coverage.add(.refusedByBreaker)
            try checkBreakerIsDue()
        case .onlyDeadConnections, .cancelled:
            throw failure("refused for no reason: \(error)")
        }
    }

    /// The connection goes into a borrower's hands.
    mutating func lend(_ handle: ConnectionHandle, to waiter: SimulatedWaiter) throws(SimulationFailure) {
        let slot = try slot(of: handle)
        try checkMayBeLent(slot)
        connections[slot].state = .leased
        leases.append(
            SimulatedLease(
                handle: handle, ticket: waiter.ticket, arrival: waiter.arrival, arrivedAt: waiter.arrivedAt,
                deadline: waiter.deadline, loop: waiter.loop, line: waiter.line, since: now))
        counts.lent += 1
        if waiter.ticket >= 0 { counts.lentAfterWait += 1 }
        mix(handle.serial)
    }

    mutating func cancel(_ index: Int) throws(SimulationFailure) {
        let ticket = waiters[index].ticket
        cancelling = ticket
        transition += 1
        machine.cancel(waiter: ticket)
        try look()
        cancelling = -1
        if waiters.contains(where: { $0.ticket == ticket }) {
            throw failure("ticket \(ticket) waits although it was cancelled")
        }
    }

    mutating func cancelLate(_ index: Int) throws(SimulationFailure) {
        leases[index].isCancelled = true
        transition += 1
        machine.cancel(waiter: leases[index].ticket)
        try look()
    }

    mutating func giveBackUntaken(_ index: Int) throws(SimulationFailure) {
        let lease = leases.remove(at: index)
        counts.cancelled += 1
        uncount(lease)
        available(lease.handle.slot)
        connections[lease.handle.slot].cameBackUntaken = true
        try end(lease) { $0.returnUnused(lease.handle, now: $1) }
    }

    mutating func findDead(_ index: Int) throws(SimulationFailure) {
        let lease = leases.remove(at: index)
        let slot = lease.handle.slot
        uncount(lease)
        connections[slot].isDead = true
        connections[slot].isSpoiled = true
        noteLoss(slot)
        available(slot)
        var turn: Turn?
        try end(lease) { turn = $0.returnDead(lease.handle, now: $1) }
        if turn == nil || turn?.arrivedAt != lease.arrivedAt || lease.wasQueued && turn?.ticket != lease.ticket {
            throw failure("the place in line of \(lease.handle)'s borrower was lost")
        }
        let waiter = SimulatedWaiter(
            ticket: -1, arrival: lease.arrival, arrivedAt: lease.arrivedAt, deadline: lease.deadline, loop: lease.loop,
            line: lease.line)
        try acquire(waiter, BorrowSite(file: "simulation", line: lease.line), turn: turn)
    }

    mutating func noteLoss(inLease index: Int) throws(SimulationFailure) {
        let handle = leases[index].handle
        leases[index].toldLoss = true
        connections[handle.slot].isDead = true
        connections[handle.slot].isSpoiled = true
        noteLoss(handle.slot)
        transition += 1
        machine.lost(handle, now: now)
        try look()
    }

    /// - Parameter isQuick: the short way first.
    mutating func giveBack(
        _ index: Int, _ condition: ReleaseCondition, isQuick: Bool = false
    ) throws(SimulationFailure) {
        let lease = leases.remove(at: index)
        let slot = lease.handle.slot
        switch condition {
        case .clean:
            if !connections[slot].isSpoiled {
                connections[slot].provenAt = now
                noteAnswer(slot)
            }
        case .needsReset: connections[slot].isDirty = true
        case .unusable, .leaked: connections[slot].isSpoiled = true
        }
        connections[slot].loop = lease.loop
        noteUse(slot)
        available(slot)
        if isQuick, condition == .clean {
            transition += 1
            let isDone = machine.takeBackClean(lease.handle, affinity: lease.loop, now: now)
            if isDone {
                if lease.leakSuspected { throw failure("the suspected leak of \(lease.handle) is not cleared") }
                return try look()
            }
        }
        try end(lease, isLeak: condition == .leaked) {
            $0.release(lease.handle, condition, affinity: lease.loop, now: $1)
        }
    }

    mutating func releaseCut(_ index: Int) throws(SimulationFailure) {
        let lease = cutLeases.remove(at: index)
        transition += 1
        if machine.takeBackClean(lease.handle, affinity: lease.loop, now: now) {
            throw failure("\(lease.handle) was taken back after it was cut")
        }
        machine.lost(lease.handle, now: now)
        machine.release(lease.handle, .clean, affinity: lease.loop, now: now)
        if machine.returnDead(lease.handle, now: now) != nil {
            throw failure("\(lease.handle) was cut, and is still lent")
        }
        try look()
    }

    /// A transition that ends a lease: a suspected leak is taken back, a leak told.
    private mutating func end(
        _ lease: SimulatedLease, isLeak: Bool = false, _ body: (inout Machine, MonotonicInstant) -> Void
    ) throws(SimulationFailure) {
        ending = EndingLease(
            handle: lease.handle, line: lease.line, mustClear: lease.leakSuspected && !isLeak, mustTellLeak: isLeak)
        transition += 1
        body(&machine, now)
        try look()
        let left = ending
        ending = nil
        if left?.mustClear == true { throw failure("the suspected leak of \(lease.handle) is not cleared") }
        if left?.mustTellLeak == true { throw failure("the leak of \(lease.handle) is not told") }
    }

    /// The borrower does not count: it has not used what it got.
    private mutating func uncount(_ lease: SimulatedLease) {
        counts.lent -= 1
        if lease.wasQueued { counts.lentAfterWait -= 1 }
    }
}
