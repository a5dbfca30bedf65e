import ConnectionPool
import Threading

/// What the machine asks for: carried out, and judged.
extension SimulatedWorld {
    mutating func carryOut(_ action: PoolAction) throws(SimulationFailure) {
        if isClosed { throw failure("\(action) after the close") }
        switch action {
        case .connect(let handle, let deadline): try beginConnect(handle, deadline)
        case .check(let handle, let deadline):
            coverage.add(.check)
            try checkIsNeeded(try slot(of: handle))
            try begin(.checking, handle, deadline, limit: limits.check)
        case .reset(let handle, let deadline):
            coverage.add(.reset)
            counts.resets += 1
            try begin(.resetting, handle, deadline, limit: limits.release)
        case .close(let handle, let reason, let deadline):
            guard let announcedClose, announcedClose.slot == handle.slot, announcedClose.reason == reason else {
                throw failure("\(handle) is closed, and nobody was told")
            }
            self.announcedClose = nil
            try beginClose(handle, reason, deadline)
        case .cancelStatement(let handle, let deadline): try cancelStatement(handle, deadline)
        case .cut(let handle): try cut(handle)
        case .abort(let handle):
            coverage.add(.abort)
            if now < cutAt || !isClosing { throw failure("\(handle) is aborted before the limit of a close") }
            try hurry(handle)
        case .cancelConnect(let handle):
            coverage.add(.cancelConnect)
            if !isClosing { throw failure("connect \(handle) is cancelled by a pool that is open") }
            if connections[try slot(of: handle)].state != .connecting { throw failure("\(handle) is not connecting") }
            try hurry(handle)
        case .grant(let ticket, let handle): try grant(ticket, handle)
        case .refuse(let ticket, let error): try refuse(ticket, error)
        case .notice(let notice): try hear(notice)
        case .filled:
            coverage.add(.filled)
            if hasFilled { throw failure("filled twice") }
            if open < configuration.idleTarget { throw failure("filled with \(open) of \(configuration.idleTarget)") }
            hasFilled = true
            fillWaiters = 0
        case .closed(let leasesCut):
            coverage.add(.closed)
            if !isClosing { throw failure("closed, and nobody asked for it") }
            if existing > 0 { throw failure("closed, but \(existing) connections exist") }
            if leasesCut != counts.cuts { throw failure("\(leasesCut) cuts are told, but there were \(counts.cuts)") }
            isClosed = true
            fillWaiters = 0
        }
    }

    // MARK: Calls

    private mutating func beginConnect(
        _ handle: ConnectionHandle, _ deadline: MonotonicInstant
    ) throws(SimulationFailure) {
        coverage.add(.connect)
        if isClosing { throw failure("\(handle) is opened by a pool that is closing") }
        if isSuspended { throw failure("\(handle) is opened by a pool that is suspended") }
        if existing >= configuration.maxOpen {
            throw failure("\(handle) is opened although \(existing) exist and at most \(configuration.maxOpen) may")
        }
        if handle.serial <= highestSerial { throw failure("\(handle) after #\(highestSerial)") }
        highestSerial = handle.serial
        let inFlight = calls.count { connections[$0].state == .connecting }
        if inFlight >= configuration.maxConnecting { throw failure("\(inFlight + 1) connects are in flight") }
        if lastConnectFailed, inFlight > 0 { throw failure("a second connect in flight although they fail") }
        if let interval = limits.connectInterval, let last = lastConnectAt,
            now.nanoseconds + 1_000 < last.nanoseconds + interval
        {
            throw failure("\(handle) is opened too soon after the connect before")
        }
        lastConnectAt = now
        while connections.count <= handle.slot { connections.append(SimulatedConnection()) }
        guard connections[handle.slot].state == .none else {
            throw failure("\(handle) is opened in the place of \(self.handle(ofSlot: handle.slot))")
        }
        connections[handle.slot] = SimulatedConnection()
        connections[handle.slot].serial = handle.serial
        connections[handle.slot].state = .idle
        try begin(.connecting, handle, deadline, limit: limits.connect)
    }

    private mutating func begin(
        _ state: SimulatedConnection.State, _ handle: ConnectionHandle, _ deadline: MonotonicInstant, limit: UInt64
    ) throws(SimulationFailure) {
        let slot = try slot(of: handle)
        guard connections[slot].state == .idle else {
            throw failure("\(state) of \(handle) while it is \(connections[slot].state)")
        }
        if deadline.nanoseconds > now.nanoseconds &+ limit { throw failure("\(state) of \(handle) is not bounded") }
        if isClosing, state != .closing { throw failure("\(state) of \(handle) by a pool that is closing") }
        connections[slot].state = state
        connections[slot].askedAsOf = transition
        connections[slot].callBegunAt = now
        connections[slot].callDeadline = deadline
        connections[slot].isHurried = false
        calls.append(slot)
        mix(handle.serial &* 16 &+ Int(state.rawValue))
    }

    private mutating func hurry(_ handle: ConnectionHandle) throws(SimulationFailure) {
        let slot = try slot(of: handle)
        guard calls.contains(slot) else { throw failure("the call on \(handle) is aborted, but none runs") }
        connections[slot].isHurried = true
    }

    private mutating func beginClose(
        _ handle: ConnectionHandle, _ reason: CloseReason, _ deadline: MonotonicInstant
    ) throws(SimulationFailure) {
        let slot = try slot(of: handle)
        coverage.add(SimulationCoverage.Outcome(reason))
        let connection = connections[slot]
        let age = now.nanoseconds - connection.openedAt.nanoseconds
        let isJustified =
            switch reason {
            case .maxLifetime: limits.lifetime.map { age >= $0.earliest } ?? false
            case .maxIdle: idle > configuration.idleLimit
            case .maxIdleTime: limits.idleTime.map { now.nanoseconds >= connection.usedAt.nanoseconds + $0 } ?? false
            case .lost: connection.isLost
            case .unusable, .leaked: connection.isSpoiled
            case .resized: existing - closing > configuration.maxOpen || idle > configuration.idleLimit
            case .retired: connection.serial <= retiredThrough
            case .poolClosed: isClosing
            }
        if !isJustified { throw failure("\(handle) is closed as \(reason.rawValue) without reason") }
        switch reason {
        case .maxLifetime: counts.closedByLifetime += 1
        case .maxIdle: counts.closedByIdleLimit += 1
        case .maxIdleTime: counts.closedByIdleTime += 1
        case .lost, .unusable, .leaked: counts.closedAsLost += 1
        case .resized, .retired, .poolClosed: break
        }
        if reason == .lost {
            troubledAsOf = transition
            mayBeDropping = true
            if troubleSince == nil { troubleSince = now }
        }
        try begin(.closing, handle, deadline, limit: limits.release)
    }

    // MARK: Waiters

    private mutating func grant(_ ticket: Int, _ handle: ConnectionHandle) throws(SimulationFailure) {
        guard let index = waiters.firstIndex(where: { $0.ticket == ticket }) else {
            throw failure("\(handle) was granted to ticket \(ticket), which does not wait")
        }
        let waiter = waiters[index]
        if index > 0 { try checkOvertaking(waiter, at: index, handle) }
        coverage.add(index > 0 ? .grantOvertaking : .grant)
        waiters.remove(at: index)
        if handle.slot < connections.count, connections[handle.slot].cameBackUntaken { coverage.add(.grantReturned) }
        try lend(handle, to: waiter)
    }

    private func checkOvertaking(
        _ waiter: SimulatedWaiter, at index: Int, _ handle: ConnectionHandle
    ) throws(SimulationFailure) {
        let first = waiters[0]
        let slot = try slot(of: handle)
        guard limits.overtaking > 0, waiter.loop >= 0, waiter.loop == connections[slot].loop,
            waiter.arrivedAt.nanoseconds - first.arrivedAt.nanoseconds <= limits.overtaking,
            !waiters[..<index].contains(where: { $0.loop == waiter.loop })
        else {
            throw failure("\(handle) was granted to ticket \(waiter.ticket), but \(first.ticket) came first")
        }
    }

    private mutating func refuse(_ ticket: Int, _ error: PoolError) throws(SimulationFailure) {
        guard let index = waiters.firstIndex(where: { $0.ticket == ticket }) else {
            throw failure("ticket \(ticket) was refused, but does not wait")
        }
        let waiter = waiters.remove(at: index)
        switch error {
        case .acquireTimedOut:
            coverage.add(.waiterTimedOut)
            counts.timeouts += 1
            if now < waiter.deadline { throw failure("ticket \(ticket) timed out before its time") }
        case .cancelled:
            coverage.add(.waiterCancelled)
            counts.cancelled += 1
            if ticket != cancelling { throw failure("ticket \(ticket) was refused as cancelled, and nobody did") }
        case .closed:
            coverage.add(.waiterClosed)
            if !isClosing { throw failure("ticket \(ticket) was refused as closed by a pool that is open") }
        case .breakerOpen:
            coverage.add(.waiterBroken)
            try checkBreakerIsDue()
        case .onlyDeadConnections, .tooManyWaiters:
            throw failure("ticket \(ticket) was refused for no reason: \(error)")
        }
        mix(~ticket)
    }

    // MARK: Notices

    private mutating func hear(_ notice: PoolNotice) throws(SimulationFailure) {
        switch notice {
        case .leakSuspected(let handle, let site, _):
            coverage.add(.leakSuspected)
            counts.leaksSuspected += 1
            guard let index = indexOfLease(handle) else {
                throw failure("a leak of \(handle) is suspected, which nobody holds")
            }
            let lease = leases[index]
            if lease.leakSuspected { throw failure("a leak of \(handle) is suspected twice") }
            if lease.line != site.line {
                throw failure("a leak of \(handle) is blamed on line \(site.line), not \(lease.line)")
            }
            guard let threshold = limits.leakThreshold, now.nanoseconds >= lease.since.nanoseconds + threshold else {
                throw failure("a leak of \(handle) is suspected too soon")
            }
            leases[index].leakSuspected = true
        case .leakCleared(let handle):
            coverage.add(.leakCleared)
            guard ending?.handle == handle, ending?.mustClear == true else {
                throw failure("a leak of \(handle) is cleared for no reason")
            }
            ending?.mustClear = false
        case .leaked(let handle, let site):
            coverage.add(.leaked)
            guard ending?.handle == handle, ending?.mustTellLeak == true, ending?.line == site.line else {
                throw failure("a leak of \(handle) at line \(site.line) is told for no reason")
            }
            ending?.mustTellLeak = false
        case .closing(let handle, let reason):
            coverage.add(.closingNotice)
            if announcedClose != nil { throw failure("two closes are told, and none is done") }
            announcedClose = (try slot(of: handle), reason)
        }
    }

    // MARK: The end of a close

    private mutating func cancelStatement(
        _ handle: ConnectionHandle, _ deadline: MonotonicInstant
    ) throws(SimulationFailure) {
        coverage.add(.cancelStatement)
        guard isClosing, let cancelAt, now >= cancelAt else {
            throw failure("a statement of \(handle) is cancelled too soon")
        }
        guard let index = indexOfLease(handle), !leases[index].statementCancelled else {
            throw failure("a statement of \(handle) is cancelled, which nobody runs")
        }
        if deadline > cutAt { throw failure("the cancel of a statement of \(handle) is not bounded") }
        leases[index].statementCancelled = true
    }

    private mutating func cut(_ handle: ConnectionHandle) throws(SimulationFailure) {
        coverage.add(.cut)
        guard isClosing, now >= cutAt else { throw failure("\(handle) is cut before the limit of a close") }
        guard let index = indexOfLease(handle) else { throw failure("\(handle) is cut, which nobody holds") }
        cutLeases.append(leases.remove(at: index))
        connections[handle.slot].state = .none
        counts.cuts += 1
    }
}
