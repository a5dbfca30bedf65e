import ConnectionPool
import Threading

/// Events become transitions.
extension SimulatedWorld {
    /// Lets an event happen.
    ///
    /// - Returns: the event with its place counted out, so that it says what it was about; `nil` when it was about nothing.
    mutating func apply(_ event: SimulatedEvent) throws(SimulationFailure) -> SimulatedEvent? {
        steps += 1
        let happened = try happen(event)
        guard let happened else { return nil }
        coverage.add(happened.kind)
        mix(happened.kind.rawValue)
        return happened
    }

    private mutating func happen(_ event: SimulatedEvent) throws(SimulationFailure) -> SimulatedEvent? {
        switch event {
        case .borrow(let budget, let loop):
            try acquire(within: budget, loop: Int32(truncatingIfNeeded: loop), isQuick: true)
            return event
        case .queue(let budget, let loop):
            try acquire(within: budget, loop: Int32(truncatingIfNeeded: loop), isQuick: false)
            return event
        case .cancel(let place):
            guard let index = Self.index(place, waiters.count) else { return nil }
            try cancel(index)
            return .cancel(waiter: index)
        case .cancelLate(let place):
            guard let index = Self.index(place, leases.count), leases[index].wasQueued, !leases[index].isCancelled
            else {
                return nil
            }
            try cancelLate(index)
            return .cancelLate(lease: index)
        case .giveBackUntaken(let place):
            guard let index = Self.index(place, leases.count), !leases[index].toldLoss else { return nil }
            try giveBackUntaken(index)
            return .giveBackUntaken(lease: index)
        case .findDead(let place):
            guard let index = Self.index(place, leases.count), !leases[index].toldLoss, !leases[index].isCancelled
            else {
                return nil
            }
            try findDead(index)
            return .findDead(lease: index)
        case .release(let place):
            guard let index = Self.index(place, leases.count) else { return nil }
            try giveBack(index, .clean, isQuick: true)
            return .release(lease: index)
        case .giveBack(let place, let condition):
            guard let index = Self.index(place, leases.count) else { return nil }
            try giveBack(index, condition)
            return .giveBack(lease: index, condition)
        case .noteLoss(let place):
            guard let index = Self.index(place, leases.count), !leases[index].toldLoss else { return nil }
            try noteLoss(inLease: index)
            return .noteLoss(lease: index)
        case .releaseCut(let place):
            guard let index = Self.index(place, cutLeases.count) else { return nil }
            try releaseCut(index)
            return .releaseCut(lease: index)
        case .waitUntilFilled:
            if machine.hasFilled || isClosing { return event }
            fillWaiters += 1
            return event
        case .cancelFillWait:
            guard fillWaiters > 0 else { return nil }
            fillWaiters -= 1
            return event
        case .answer(let place, let answer):
            guard let index = Self.index(place, calls.count) else { return nil }
            try self.answer(index, answer)
            return .answer(call: index, answer)
        case .idleEvent(let place):
            guard let slot = connection(place) else { return nil }
            try idleEvent(slot.slot)
            return .idleEvent(connection: slot.place)
        case .kill(let place):
            guard let slot = connection(place) else { return nil }
            connections[slot.slot].isDead = true
            return .kill(connection: slot.place)
        case .killAll:
            killAll()
            return event
        case .pass(let nanoseconds):
            try pass(nanoseconds)
            return event
        case .stall(let nanoseconds):
            now = MonotonicInstant(nanoseconds: now.nanoseconds &+ UInt64(max(0, nanoseconds)))
            return event
        case .earlyAlarm:
            try fireAlarm()
            return event
        case .resize, .suspend, .resume, .retireAll, .close: return try control(event)
        case .settle:
            guard !isClosing else { return nil }
            try settle()
            return event
        case .finish:
            try finish()
            return event
        }
    }

    /// What an operator does; nothing once the pool closes.
    mutating func control(_ event: SimulatedEvent) throws(SimulationFailure) -> SimulatedEvent? {
        guard !isClosing else { return nil }
        transition += 1
        switch event {
        case .resize(let maxOpen, let minIdle, let maxIdle):
            configuration.maxOpen = max(1, maxOpen)
            configuration.minIdle = max(0, minIdle)
            configuration.maxIdle = maxIdle.map { max(0, $0) }
            machine.resize(maxOpen: maxOpen, minIdle: minIdle, maxIdle: maxIdle, now: now)
        case .suspend:
            isSuspended = true
            machine.suspend(now: now)
        case .resume:
            isSuspended = false
            machine.resume(now: now)
        case .retireAll:
            retiredThrough = highestSerial
            machine.retireAll(now: now)
        case .close(let cancelAfter, let cutAfter): beginClose(cancelAfter: cancelAfter, cutAfter: cutAfter)
        default: return nil
        }
        try look()
        return event
    }

    private mutating func beginClose(cancelAfter: Int?, cutAfter: Int) {
        isClosing = true
        cutAt = MonotonicInstant(nanoseconds: now.nanoseconds &+ UInt64(max(0, cutAfter)))
        cancelAt = cancelAfter.map { min(cutAt, MonotonicInstant(nanoseconds: now.nanoseconds &+ UInt64(max(0, $0)))) }
        machine.close(now: now, cancelAt: cancelAt, cutAt: cutAt)
    }

    @inline(__always)
    private static func index(_ place: Int, _ count: Int) -> Int? {
        count > 0 ? place % count : nil
    }

    /// The open connection in this place, in order of slots.
    private func connection(_ place: Int) -> (slot: Int, place: Int)? {
        guard let index = Self.index(place, existing - count(.connecting)) else { return nil }
        var left = index
        for slot in connections.indices
        where connections[slot].state != .none && connections[slot].state != .connecting {
            if left == 0 { return (slot, index) }
            left -= 1
        }
        return nil
    }
}
