import ConnectionPool
import Threading

/// How time passes.
extension SimulatedWorld {
    /// Lets time pass. Calls end by their deadlines, hurried ones at once; the alarm fires at its time.
    mutating func pass(_ nanoseconds: Int) throws(SimulationFailure) {
        let target = MonotonicInstant(nanoseconds: now.nanoseconds &+ UInt64(max(0, nanoseconds)))
        // Each turn ends a call or moves the alarm, which may not spin; the bound is for machines that are broken.
        for _ in 0..<100_000 {
            try endHurriedCalls()
            let (callAt, index) = nextDeadline()
            let next = min(alarmAt, callAt)
            guard next <= target else {
                now = max(now, target)
                return try checkTimes()
            }
            now = max(now, next)
            if callAt < alarmAt { try answer(index, .failed) } else { try fireAlarm() }
        }
        throw failure("the pool does not come to rest")
    }

    mutating func fireAlarm() throws(SimulationFailure) {
        let mustCancel = isClosing && !hasCancelled && !isCut && cancelAt.map { now >= $0 } ?? false
        let mustCut = isClosing && !isCut && now >= cutAt
        // Before the alarm: the cut forgets its leases.
        let running = leases.count
        let statements = coverage.count(of: .cancelStatement)
        transition += 1
        machine.alarmFired(now: now)
        lastAlarmAt = now
        if mustCut { isCut = true }
        try look()
        if mustCancel {
            hasCancelled = true
            if coverage.count(of: .cancelStatement) - statements != running {
                throw failure("\(running) leases are out, and not all their statements are cancelled")
            }
        }
        if mustCut, !leases.isEmpty { throw failure("\(leases.count) leases are out past the limit of the close") }
        if alarmAt <= now { throw failure("the alarm wants to fire again at once") }
    }

    /// Aborts and cancels are prompt: what they hurry ends before time passes.
    private mutating func endHurriedCalls() throws(SimulationFailure) {
        while let index = calls.firstIndex(where: { connections[$0].isHurried }) { try answer(index, .failed) }
    }

    private func nextDeadline() -> (at: MonotonicInstant, index: Int) {
        var earliest = MonotonicInstant.distantFuture
        var place = 0
        for index in calls.indices where connections[calls[index]].callDeadline < earliest {
            earliest = connections[calls[index]].callDeadline
            place = index
        }
        return (earliest, place)
    }
}
