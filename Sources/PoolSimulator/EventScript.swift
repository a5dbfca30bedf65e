import ConnectionPool
import RigModel

/// Draws the events of a life from its seed, one after the other, with an eye on what is possible.
///
/// Each life has a mood: how much of what happens in it. Few moods find what one even mix would not: a queue only grows
/// when more is asked for than given back.
struct EventScript {
    private var generator: SeededGenerator
    private let mood: Mood
    /// The server is away: connects and checks fail.
    private var isOutage = false

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed, stream: "events")
        mood = Mood.all[Int(generator.next() % UInt64(Mood.all.count))]
    }

    /// An event that is about something in this world.
    mutating func next<Machine>(_ world: borrowing SimulatedWorld<Machine>) -> SimulatedEvent {
        while true {
            let bits = generator.next()
            // Outages and suspensions end soon: little happens in them.
            if isOutage, bits >> 59 == 0 { isOutage = false }
            if world.isSuspended, !world.isClosing, (bits >> 54) & 15 == 0 { return .resume }
            let kind = mood.kind(UInt8(truncatingIfNeeded: bits))
            if let event = event(kind, bits >> 8, world) { return event }
        }
    }

    /// The end of a life: a proof that the pool still works, some trouble, and a close in the middle of it.
    mutating func close() -> SimulatedEvent {
        let bits = generator.next()
        let cutAfter = Self.duration(bits)
        switch bits >> 62 {
        case 0: return .close(cancelAfter: nil, cutAfter: 0)
        case 1: return .close(cancelAfter: nil, cutAfter: cutAfter)
        default: return .close(cancelAfter: cutAfter * 4 / 5, cutAfter: cutAfter)
        }
    }

    private mutating func event<Machine>(
        _ kind: Drawn, _ bits: UInt64, _ world: borrowing SimulatedWorld<Machine>
    ) -> SimulatedEvent? {
        let place = Int(bits & 0xFFFF)
        switch kind {
        case .borrow, .queue:
            guard world.waiters.count < 10 else { return nil }
            let loop = Int(bits >> 50) % 3 - 1
            let budget = (bits >> 40) & 31 == 0 ? 0 : Self.duration(bits) * 4
            return kind == .borrow ? .borrow(within: budget, loop: loop) : .queue(within: budget, loop: loop)
        case .cancel: return world.waiters.isEmpty ? nil : .cancel(waiter: place % world.waiters.count)
        case .handOver:
            guard !world.leases.isEmpty else { return nil }
            let index = place % world.leases.count
            let lease = world.leases[index]
            if lease.toldLoss { return nil }
            if lease.isCancelled { return .giveBackUntaken(lease: index) }
            switch (bits >> 20) & 3 {
            case 0: return .giveBackUntaken(lease: index)
            case 1: return .findDead(lease: index)
            default: return lease.wasQueued ? .cancelLate(lease: index) : nil
            }
        case .giveBack:
            guard !world.leases.isEmpty else { return world.cutLeases.isEmpty ? nil : .releaseCut(lease: place) }
            return giveBack(place % world.leases.count, bits >> 20, world)
        case .answer: return world.calls.isEmpty ? nil : answer(place, bits >> 20, world)
        case .idleEvent: return world.existing == 0 ? nil : .idleEvent(connection: place % world.existing)
        case .kill: return world.existing == 0 ? nil : .kill(connection: place % world.existing)
        case .outage:
            isOutage = true
            return .killAll
        case .pass: return .pass(Self.duration(bits))
        case .passLong: return .pass(20_000_000 + Int(bits & 0xFFF_FFFF))
        case .stall: return .stall(Self.duration(bits))
        case .earlyAlarm: return .earlyAlarm
        case .fillWait:
            return bits & 1 == 0 ? .waitUntilFilled : world.fillWaiters > 0 ? .cancelFillWait : nil
        case .control: return world.isClosing ? nil : control(bits, world)
        }
    }

    private mutating func giveBack<Machine>(
        _ index: Int, _ bits: UInt64, _ world: borrowing SimulatedWorld<Machine>
    ) -> SimulatedEvent? {
        let isDead = world.connections[world.leases[index].handle.slot].isDead
        if isDead, bits & 3 != 0 {
            if world.leases[index].toldLoss || bits & 4 == 0 { return .giveBack(lease: index, .unusable) }
            return .noteLoss(lease: index)
        }
        switch (bits >> 4) & 31 {
        case 0..<18: return .release(lease: index)
        case 18..<22: return .giveBack(lease: index, .clean)
        case 22..<27: return .giveBack(lease: index, .needsReset)
        case 27..<29: return .giveBack(lease: index, .unusable)
        case 29: return .giveBack(lease: index, .leaked)
        default: return world.leases[index].toldLoss ? nil : .noteLoss(lease: index)
        }
    }

    private func answer<Machine>(
        _ place: Int, _ bits: UInt64, _ world: borrowing SimulatedWorld<Machine>
    ) -> SimulatedEvent {
        let index = place % world.calls.count
        let luck = bits & 63
        if isOutage { return .answer(call: index, luck < 4 ? .well : luck < 40 ? .failed : .lost) }
        return .answer(call: index, luck < 57 ? .well : luck < 61 ? .failed : .lost)
    }

    private func control<Machine>(
        _ bits: UInt64, _ world: borrowing SimulatedWorld<Machine>
    ) -> SimulatedEvent {
        switch bits & 7 {
        case 0, 1, 2:
            let maxOpen = 1 + Int((bits >> 3) % 8)
            let maxIdle = Int((bits >> 16) % 9)
            return .resize(
                maxOpen: maxOpen, minIdle: Int((bits >> 8) % UInt64(maxOpen + 1)), maxIdle: maxIdle < 7 ? maxIdle : nil)
        case 3: return .retireAll
        default: return world.isSuspended ? .resume : .suspend
        }
    }

    /// From a microsecond to 130 ms; each order of magnitude as likely as the others.
    private static func duration(_ bits: UInt64) -> Int {
        let scale = 1_000 << Int((bits >> 24) % 17)
        return scale + Int((bits >> 32) & 0xFFFF) * scale >> 16
    }
}

/// What a script may draw.
enum Drawn: UInt8 {
    case borrow, queue, cancel, handOver, giveBack, answer, idleEvent, kill, outage, pass, passLong, stall, earlyAlarm
    case fillWait, control
}

/// How much of what happens in a life.
struct Mood {
    private let table: [Drawn]

    /// - Parameter shares: of 256; the rest is answers.
    private init(_ shares: [(Drawn, Int)]) {
        var table: [Drawn] = []
        for (kind, share) in shares { table += Array(repeating: kind, count: share) }
        table += Array(repeating: .answer, count: max(0, 256 - table.count))
        self.table = table
    }

    func kind(_ byte: UInt8) -> Drawn { table[Int(byte)] }

    static let all = [
        // A bit of everything.
        Mood([
            (.borrow, 56), (.queue, 8), (.cancel, 8), (.handOver, 10), (.giveBack, 60), (.idleEvent, 2), (.kill, 3),
            (.outage, 2), (.pass, 36), (.passLong, 4), (.stall, 2), (.earlyAlarm, 1), (.fillWait, 2), (.control, 4),
        ]),
        // More is wanted than there is.
        Mood([
            (.borrow, 84), (.queue, 12), (.cancel, 12), (.handOver, 10), (.giveBack, 40), (.idleEvent, 1), (.kill, 2),
            (.outage, 1), (.pass, 34), (.passLong, 1), (.stall, 2), (.control, 3),
        ]),
        // Little happens for long times.
        Mood([
            (.borrow, 50), (.queue, 2), (.cancel, 3), (.handOver, 4), (.giveBack, 54), (.idleEvent, 4), (.kill, 2),
            (.outage, 1), (.pass, 60), (.passLong, 14), (.stall, 2), (.fillWait, 2), (.control, 3),
        ]),
        // The server comes and goes.
        Mood([
            (.borrow, 54), (.queue, 4), (.cancel, 4), (.handOver, 10), (.giveBack, 44), (.idleEvent, 4), (.kill, 10),
            (.outage, 10), (.pass, 40), (.passLong, 3), (.stall, 2), (.fillWait, 1), (.control, 2),
        ]),
        // Somebody plays with the controls.
        Mood([
            (.borrow, 54), (.queue, 4), (.cancel, 4), (.handOver, 6), (.giveBack, 50), (.idleEvent, 2), (.kill, 3),
            (.outage, 1), (.pass, 34), (.passLong, 2), (.stall, 2), (.earlyAlarm, 1), (.fillWait, 4), (.control, 24),
        ]),
    ]
}
