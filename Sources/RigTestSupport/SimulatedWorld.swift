import ConnectionPool
import RigModel
import Threading

/// What a pool's state machine sees of the world, and what the world knows better: which connections are dead, who waits
/// since when, who holds what. Built by ``PoolSimulation``; pure.
struct SimulatedWorld {
    /// A round trip or a connect that has not been answered.
    struct Call {
        enum Kind { case connect, check, reset, close }
        let kind: Kind
        let handle: ConnectionHandle
        let deadline: MonotonicInstant
        /// The number of the event that began it.
        let askedAt: Int
        /// Cancelled or aborted: it ends before time passes.
        var isHurried = false
    }

    struct Connection {
        var isDead = false
        /// The number of the event at which the proof was asked that it has.
        var provenAt: Int
    }

    /// A connection that was granted or lent.
    struct Holding {
        let handle: ConnectionHandle
        let deadline: MonotonicInstant
        /// The borrower has acknowledged it.
        var isTaken = false
        /// The borrower has told the pool that it is dead.
        var toldLoss = false
    }

    var machine: PoolStateMachine
    let configuration: PoolConfiguration
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    var generator: SeededGenerator
    let defect: PlantedDefect
    var statistics = SimulationStatistics()

    var isServerUp = true
    var calls: [Call] = []
    var connections: [ConnectionHandle: Connection] = [:]
    var holdings: [ConnectionHandle: Holding] = [:]
    /// Deadlines of acquires that wait, by ticket.
    var waiting: [Int: MonotonicInstant] = [:]
    var eventNumber = 0
    /// The number of the event that reported the last loss that was news.
    var lastLossAt = -1
    var isFailing = false
    var cutAt: MonotonicInstant?
    var closedWith: Int?
    var cuts = 0
    var trace: [String] = []

    init(configuration: PoolConfiguration, seed: UInt64, defect: PlantedDefect) throws(SimulationFailure) {
        self.configuration = configuration
        self.defect = defect
        generator = SeededGenerator(seed: seed, stream: "simulation")
        machine = PoolStateMachine(configuration: configuration, seed: seed, now: now)
        try settle()
    }

    func failure(_ message: String) -> SimulationFailure {
        SimulationFailure(message: message, event: eventNumber, now: now, trace: trace.suffix(20).map { $0 })
    }

    // MARK: Telling the machine

    mutating func tell(_ event: SimulatedEvent) throws(SimulationFailure) {
        note("\(event)")
        if defect.swallowsEvent(event) { return }
        event.apply(to: &machine, now: now)
        try settle()
    }

    /// - Parameter turn: the borrower comes back with the place that it had.
    mutating func acquire(deadline: MonotonicInstant, turn: Turn? = nil) throws(SimulationFailure) {
        note("acquire until \(deadline)\(turn.map { ", again with ticket \($0.ticket)" } ?? "")")
        let site = BorrowSite(file: "simulation", line: UInt(eventNumber))
        let decision = machine.acquire(now: now, deadline: deadline, site: site, turn: turn)
        switch decision {
        case .lend(let handle):
            if !waiting.isEmpty { throw failure("\(handle) was lent past \(waiting.count) that wait") }
            try hand(handle, deadline: deadline)
            statistics.lentAtOnce += 1
        case .wait(let ticket):
            if waiting.updateValue(deadline, forKey: ticket) != nil { throw failure("two wait with ticket \(ticket)") }
        case .refuse(.closed):
            if cutAt == nil { throw failure("refused as closed by a pool that is open") }
        case .refuse(.tooManyWaiters(let limit)):
            if waiting.count < limit { throw failure("refused although only \(waiting.count) wait") }
            statistics.refused += 1
        case .refuse(.acquireTimedOut):
            if now < deadline { throw failure("timed out before its time") }
        case .refuse(let error): throw failure("refused for no reason: \(error)")
        }
        try settle()
    }

    mutating func returnDead(_ handle: ConnectionHandle, deadline: MonotonicInstant) throws(SimulationFailure) {
        note("returnDead \(handle)")
        holdings[handle] = nil
        noteLoss(of: handle)
        let turn = machine.returnDead(handle, now: now)
        try settle()
        statistics.foundDead += 1
        if cutAt == nil, turn == nil { throw failure("the place in line was lost") }
        try acquire(deadline: deadline, turn: turn)
    }

    /// The model's own idea of what a loss makes suspect.
    mutating func noteLoss(of handle: ConnectionHandle) {
        guard cutAt == nil, let connection = connections[handle], connection.provenAt >= lastLossAt else { return }
        lastLossAt = eventNumber
        statistics.losses += 1
    }

    private mutating func note(_ line: String) {
        eventNumber += 1
        trace.append("\(eventNumber) at \(now.nanoseconds / 1_000_000) ms: \(line)")
        if trace.count > 200 { trace.removeFirst(150) }
    }

    // MARK: What the machine asks for

    /// Carries out the actions, and looks whether everything holds.
    private mutating func settle() throws(SimulationFailure) {
        for action in machine.takeActions() where !defect.swallowsAction(action) { try carryOut(action) }
        if let broken = machine.brokenInvariant() { throw failure(broken) }
        let existing = connections.count + calls.count { $0.kind == .connect }
        if existing > configuration.maxOpen { throw failure("\(existing) connections exist") }
    }

    private mutating func carryOut(_ action: PoolAction) throws(SimulationFailure) {
        switch action {
        case .connect(let handle, let deadline):
            try begin(.connect, handle, deadline)
            if isFailing, calls.count(where: { $0.kind == .connect }) > 1 {
                throw failure("a second connect although they fail")
            }
        case .check(let handle, let deadline): try begin(.check, handle, deadline)
        case .reset(let handle, let deadline): try begin(.reset, handle, deadline)
        case .close(let handle, _, let deadline): try begin(.close, handle, deadline)
        case .cut(let handle):
            guard let cutAt, now >= cutAt else { throw failure("cut before the limit") }
            guard holdings[handle] != nil else { throw failure("cut \(handle), which nobody holds") }
            connections[handle] = nil
            cuts += 1
        case .abort(let handle), .cancelConnect(let handle):
            guard let index = calls.firstIndex(where: { $0.handle == handle }) else {
                throw failure("\(action), but no call runs")
            }
            calls[index].isHurried = true
        case .grant(let ticket, let handle):
            guard let first = waiting.keys.min() else { throw failure("\(handle) was granted to nobody") }
            guard ticket == first, let deadline = waiting.removeValue(forKey: ticket) else {
                throw failure("\(handle) was granted to \(ticket), but \(first) came first")
            }
            try hand(handle, deadline: deadline)
            statistics.granted += 1
        case .refuse(let ticket, let error):
            guard let deadline = waiting.removeValue(forKey: ticket) else {
                throw failure("\(ticket) was refused, but does not wait")
            }
            if case .acquireTimedOut = error {
                statistics.timedOut += 1
                if now < deadline { throw failure("\(ticket) timed out before its time") }
            }
        case .notice(.leakSuspected(let handle, _, _)):
            statistics.leaksSuspected += 1
            if holdings[handle] == nil { throw failure("a leak of \(handle) is suspected, which nobody holds") }
        case .cancelStatement(let handle, _):
            if holdings[handle] == nil { throw failure("a statement of \(handle) is cancelled, which nobody holds") }
        case .notice, .filled: break
        case .closed(let leasesCut):
            guard closedWith == nil else { throw failure("closed twice") }
            if !calls.isEmpty || !connections.isEmpty { throw failure("closed, but \(connections.keys) exist") }
            closedWith = leasesCut
        }
    }

    private mutating func begin(
        _ kind: Call.Kind, _ handle: ConnectionHandle, _ deadline: MonotonicInstant
    ) throws(SimulationFailure) {
        if calls.contains(where: { $0.handle == handle }) { throw failure("two calls at once on \(handle)") }
        if holdings[handle] != nil { throw failure("a call on \(handle), which someone holds") }
        if (kind == .connect) == (connections[handle] != nil) { throw failure("\(kind) of \(handle)") }
        calls.append(Call(kind: kind, handle: handle, deadline: deadline, askedAt: eventNumber))
    }

    private mutating func hand(
        _ handle: ConnectionHandle, deadline: MonotonicInstant
    ) throws(SimulationFailure) {
        guard let connection = connections[handle] else { throw failure("\(handle) was lent but does not exist") }
        if holdings[handle] != nil { throw failure("\(handle) was lent twice") }
        if calls.contains(where: { $0.handle == handle }) { throw failure("\(handle) was lent during a call") }
        if connection.provenAt < lastLossAt { throw failure("\(handle) was lent although a loss made it suspect") }
        holdings[handle] = Holding(handle: handle, deadline: deadline)
    }
}
