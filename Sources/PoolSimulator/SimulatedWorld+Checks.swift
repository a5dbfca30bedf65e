import ConnectionPool
import Threading

/// What must hold, by the world's own books.
extension SimulatedWorld {
    func count(_ state: SimulatedConnection.State) -> Int {
        var count = 0
        for slot in connections.indices where connections[slot].state == state { count += 1 }
        return count
    }

    var idle: Int { count(.idle) }
    var closing: Int { count(.closing) }
    var existing: Int { connections.count - count(.none) }
    /// Idle, lent, or in a check or reset.
    var open: Int { existing - count(.connecting) - closing }

    /// After every transition.
    mutating func checkBooks() throws(SimulationFailure) {
        var seen = PoolGauges()
        for slot in connections.indices {
            switch connections[slot].state {
            case .none, .closing: break
            case .connecting: seen.connecting += 1
            case .leased:
                seen.open += 1
                seen.inUse += 1
            case .checking, .resetting: seen.open += 1
            case .idle:
                seen.open += 1
                seen.idle += 1
                try checkMayBeIdle(slot)
            }
        }
        seen.waiting = waiters.count
        let told = machine.gauges
        if told != seen { throw failure("the machine tells \(told); in truth it is \(seen)") }
        if machine.isClosed != isClosed {
            throw failure("the machine tells that it is \(isClosed ? "not " : "")closed")
        }
        if machine.hasFilled != hasFilled {
            throw failure("the machine tells \(hasFilled ? "not " : "")to have filled")
        }
        try checkAlarm()
        if seen.idle <= configuration.idleTarget {
            surplusSince = nil
        } else if surplusSince == nil {
            surplusSince = now
        }
        if seen.idle > 0, seen.open + seen.connecting > configuration.maxOpen {
            throw failure("\(seen) although at most \(configuration.maxOpen) may exist, and an idle one could go")
        }
        try checkSupply(seen)
        if isClosing {
            if !waiters.isEmpty { throw failure("\(waiters.count) wait on a pool that is closing") }
        } else if !hasFilled, open >= configuration.idleTarget {
            throw failure("\(open) connections are open, and nobody was told that the pool is filled")
        }
    }

    /// Where nothing is in the way, as many connects are in flight as are wanted and allowed.
    private func checkSupply(_ seen: PoolGauges) throws(SimulationFailure) {
        guard !isClosing, !isSuspended, !lastConnectFailed, !mayBeDropping, limits.connectInterval == nil,
            seen.connecting < configuration.maxConnecting, existing < configuration.maxOpen
        else { return }
        // Checks may be slow, and nobody counts on those; here they count.
        if seen.idle + seen.connecting + count(.checking) < configuration.idleTarget + waiters.count {
            throw failure("nothing opens the connection that is wanted: \(seen)")
        }
    }

    private func checkMayBeIdle(_ slot: Int) throws(SimulationFailure) {
        let connection = connections[slot]
        if connection.isSpoiled { throw failure("#\(connection.serial) must not be used again, and is idle") }
        if connection.isDirty { throw failure("#\(connection.serial) has an open transaction, and is idle") }
        if connection.provenAsOf < lastLossAsOf {
            throw failure("#\(connection.serial) is idle although a loss made it suspect")
        }
        if connection.serial <= retiredThrough { throw failure("#\(connection.serial) is idle although it is retired") }
        if isClosing { throw failure("#\(connection.serial) is idle in a pool that is closing") }
    }

    private func checkAlarm() throws(SimulationFailure) {
        guard !isClosed else {
            if alarmAt != .distantFuture { throw failure("a closed pool wants an alarm") }
            return
        }
        if alarmAt.nanoseconds > now.nanoseconds &+ limits.maintenance { throw failure("nothing wakes the pool up") }
        for index in waiters.indices where waiters[index].deadline < alarmAt {
            throw failure("nothing wakes the pool up at the deadline of ticket \(waiters[index].ticket)")
        }
        for slot in calls where !isClosing && connections[slot].state == .checking {
            let dueAt = connections[slot].callBegunAt.nanoseconds + limits.slowCheck
            if dueAt > lastAlarmAt.nanoseconds, dueAt < alarmAt.nanoseconds {
                throw failure("nothing wakes the pool up to see that the check of #\(connections[slot].serial) is slow")
            }
        }
        if isClosing, !isCut, cutAt < alarmAt { throw failure("nothing wakes the pool up at the limit of its close") }
    }

    func checkMayBeLent(_ slot: Int) throws(SimulationFailure) {
        let connection = connections[slot]
        let handle = handle(ofSlot: slot)
        guard connection.state == .idle else { throw failure("\(handle) was lent while it is \(connection.state)") }
        if isSuspended { throw failure("\(handle) was lent by a pool that is suspended") }
        if isClosing { throw failure("\(handle) was lent by a pool that is closing") }
        if connection.isSpoiled { throw failure("\(handle) was lent, and must not be used again") }
        if connection.isDirty { throw failure("\(handle) was lent with an open transaction") }
        if connection.provenAsOf < lastLossAsOf { throw failure("\(handle) was lent although a loss made it suspect") }
        if connection.serial <= retiredThrough { throw failure("\(handle) was lent although it is retired") }
        if let lifetime = limits.lifetime, now.nanoseconds > connection.openedAt.nanoseconds + lifetime.latest {
            throw failure("\(handle) was lent past its lifetime")
        }
        let unproven = now.nanoseconds - connection.provenAt.nanoseconds
        if unproven > 0, unproven >= limits.checkAfterIdle, !connection.cameBackUntaken {
            throw failure("\(handle) was lent unchecked, \(unproven) ns after its last proof")
        }
    }

    /// The idle order.
    ///
    /// - Parameter loop: the borrower's, where a connection that lives there comes first.
    func checkLentFromIdle(_ handle: ConnectionHandle, loop: Int32?) throws(SimulationFailure) {
        if !waiters.isEmpty { throw failure("\(handle) was lent past \(waiters.count) that wait") }
        let slot = try slot(of: handle)
        let isRoundRobin = configuration.idleOrder == .roundRobin
        let lent = connections[slot]
        for other in connections.indices where other != slot && connections[other].state == .idle {
            let rival = connections[other]
            let comesFirst = isRoundRobin ? rival.useTurn < lent.useTurn : rival.useTurn > lent.useTurn
            if let loop, loop >= 0, !isRoundRobin {
                let isNear = lent.loop == loop
                let isRivalNear = rival.loop == loop
                if isRivalNear == isNear ? comesFirst : isRivalNear {
                    throw failure("\(handle) was lent, but #\(rival.serial) is first in the idle order of loop \(loop)")
                }
            } else if comesFirst, now.nanoseconds - rival.provenAt.nanoseconds < limits.checkAfterIdle,
                !mayHaveExpired(rival)
            {
                throw failure("\(handle) was lent, but #\(rival.serial) is first in the idle order")
            }
        }
    }

    private func mayHaveExpired(_ connection: SimulatedConnection) -> Bool {
        limits.lifetime.map { now.nanoseconds - connection.openedAt.nanoseconds >= $0.earliest } ?? false
    }

    /// A check costs a round trip and a connection that cannot be lent meanwhile.
    func checkIsNeeded(_ slot: Int) throws(SimulationFailure) {
        let connection = connections[slot]
        let unproven = now.nanoseconds - connection.provenAt.nanoseconds
        let isSuspect = connection.provenAsOf < lastLossAsOf || slot == slotWithNews
        let isWanted = unproven >= limits.checkAfterIdle && !waiters.isEmpty
        if !isSuspect, !isWanted, unproven < limits.healthCheck {
            throw failure("#\(connection.serial) is checked without reason")
        }
    }

    func checkBreakerIsDue() throws(SimulationFailure) {
        guard let limit = limits.breakerAfter, let troubleSince, now.nanoseconds >= troubleSince.nanoseconds + limit
        else {
            throw failure("the breaker is open too soon")
        }
        if open > 0 { throw failure("the breaker is open, but so are \(open) connections") }
    }

    /// After a failed connect.
    mutating func checkBreakerOpened() throws(SimulationFailure) {
        guard !isClosing, let limit = limits.breakerAfter, let connectsFailSince, open == 0,
            now.nanoseconds >= connectsFailSince.nanoseconds + limit
        else { return }
        mustBeBroken = true
        if !waiters.isEmpty {
            throw failure("\(waiters.count) still wait although connects fail for longer than the breaker lets them")
        }
    }

    /// After time has passed with every alarm in its time.
    func checkTimes() throws(SimulationFailure) {
        for index in waiters.indices where waiters[index].deadline <= now {
            throw failure("ticket \(waiters[index].ticket) waits past its deadline")
        }
        if isClosing { return }
        if let threshold = limits.leakThreshold {
            for lease in leases
            where !lease.leakSuspected && lease.since.nanoseconds + threshold + limits.maintenance <= now.nanoseconds {
                throw failure("the lease of \(lease.handle) is out for too long, and nobody is told")
            }
        }
        if let lifetime = limits.lifetime {
            for connection in connections where connection.state == .idle {
                if connection.openedAt.nanoseconds + lifetime.latest + limits.maintenance <= now.nanoseconds {
                    throw failure("#\(connection.serial) is idle past its lifetime")
                }
            }
        }
        if let idleTime = limits.idleTime, let surplusSince, isPastMaintenance(surplusSince, after: 0) {
            for connection in connections
            where connection.state == .idle && isPastMaintenance(connection.idleSince, after: 0)
                && isPastMaintenance(connection.usedAt, after: idleTime)
            {
                throw failure("#\(connection.serial) has not been used for too long, and is not closed")
            }
        }
    }

    /// The machine has looked over its connections since this time.
    private func isPastMaintenance(_ time: MonotonicInstant, after nanoseconds: UInt64) -> Bool {
        time.nanoseconds + nanoseconds + limits.maintenance <= now.nanoseconds
    }
}
