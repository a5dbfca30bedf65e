import ConnectionPool
import RigModel
import Threading

/// How the world answers the pool, and how time passes.
extension SimulatedWorld {
    /// Ends a call: as the server's state wills, or as it must at its deadline.
    mutating func finish(_ index: Int, isLate: Bool = false) throws(SimulationFailure) {
        let call = calls.remove(at: index)
        let handle = call.handle
        let isDead = connections[handle]?.isDead ?? false
        switch call.kind {
        case .connect:
            guard isServerUp, !isLate, !call.isHurried || chance(0.2), chance(0.97) else {
                if cutAt == nil { isFailing = true }
                statistics.connectsFailed += 1
                return try tell(.connectFailed(handle))
            }
            isFailing = false
            connections[handle] = Connection(provenAt: call.askedAt)
            try tell(.connected(handle))
        case .check, .reset:
            let isWell = !isDead && !isLate && !call.isHurried && chance(0.97)
            // A dead one may also just not answer, which proves nothing.
            let provesLoss = isDead && !isLate && chance(0.8)
            if isWell { connections[handle]?.provenAt = call.askedAt }
            if provesLoss { noteLossBeforeEvent(of: handle) }
            if call.kind == .check {
                statistics.checks += 1
                try tell(.checked(handle, alive: isWell, provesLoss: provesLoss))
            } else {
                statistics.resets += 1
                try tell(.wasReset(handle, clean: isWell, provesLoss: provesLoss))
            }
        case .close:
            connections[handle] = nil
            try tell(.disconnected(handle))
        }
    }

    /// The event that carries the news is the next one.
    mutating func noteLossBeforeEvent(of handle: ConnectionHandle) {
        eventNumber += 1
        noteLoss(of: handle)
    }

    /// Lets time pass. Calls end by their deadlines, hurried ones at once; the alarm fires at its time.
    mutating func advance(by duration: Duration) throws(SimulationFailure) {
        let target = now.advanced(by: duration)
        while true {
            while let hurried = calls.firstIndex(where: \.isHurried) { try finish(hurried) }
            let alarmAt = machine.nextAlarm() ?? .distantFuture
            let callAt = calls.map(\.deadline).min() ?? .distantFuture
            let next = min(alarmAt, callAt)
            guard next <= target else { break }
            now = max(now, next)
            if callAt < alarmAt, let late = calls.firstIndex(where: { $0.deadline == callAt }) {
                try finish(late, isLate: true)
            } else {
                try fireAlarm()
            }
        }
        now = target
        if let late = waiting.first(where: { $0.value < now }) {
            throw failure("\(late.key) still waits, past its deadline \(late.value)")
        }
    }

    private mutating func fireAlarm() throws(SimulationFailure) {
        try tell(.alarm)
        if let next = machine.nextAlarm(), next <= now { throw failure("the alarm wants to fire again at once") }
    }

    mutating func chance(_ share: Double) -> Bool { generator.nextUnit() < share }

    /// A random duration in seconds; short ones are more likely.
    mutating func draw(_ range: ClosedRange<Double>) -> Duration {
        let share = generator.nextUnit()
        return .seconds(range.lowerBound + (range.upperBound - range.lowerBound) * share * share)
    }
}
