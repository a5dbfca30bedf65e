package import ConnectionPool
import RigModel
import Threading

/// A random walk through the pool's state machine: a seed draws the configuration, the borrowers, the server's crashes and
/// the order of every answer. After each event the machine's invariants and the world's own books must hold; at the end a
/// healed server must be usable, and a close must end everything.
///
/// ```swift
/// let statistics = try PoolSimulation(seed: 7).run(steps: 500)
/// ```
package struct PoolSimulation: Sendable {
    package let seed: UInt64
    package let configuration: PoolConfiguration
    private let defect: PlantedDefect

    /// - Parameters:
    ///   - configuration: the pool's; drawn from the seed where `nil`.
    ///   - defect: something that goes wrong between machine and world.
    package init(seed: UInt64, configuration: PoolConfiguration? = nil, defect: PlantedDefect = PlantedDefect()) {
        self.seed = seed
        self.configuration = configuration ?? Self.drawConfiguration(seed)
        self.defect = defect
    }

    /// Walks this many steps, then heals, uses and closes the pool. The same seed takes the same way every time.
    ///
    /// - Throws: ``SimulationFailure`` at the first thing that does not hold.
    package func run(steps: Int) throws(SimulationFailure) -> SimulationStatistics {
        var world = try SimulatedWorld(configuration: configuration, seed: seed, defect: defect)
        for _ in 0..<steps { try step(&world) }
        try proveUsable(&world)
        try close(&world)
        world.statistics.events = world.eventNumber
        return world.statistics
    }

    private func step(_ world: inout SimulatedWorld) throws(SimulationFailure) {
        switch world.generator.nextUnit() {
        case ..<0.27:
            try world.acquire(
                deadline: world.now.advanced(by: world.draw(0.001...world.configuration.acquireTimeout.seconds)))
        case ..<0.52: try take(&world)
        case ..<0.72: try giveBack(&world)
        case ..<0.86:
            guard let index = world.calls.indices.randomElement(using: &world.generator) else { return }
            try world.finish(index)
        case ..<0.90:
            guard let ticket = world.waiting.keys.sorted().randomElement(using: &world.generator) else { return }
            world.statistics.cancelled += 1
            try world.tell(.cancel(waiter: ticket))
        case ..<0.96: try world.advance(by: world.draw(0.001...0.05))
        case ..<0.98: try world.advance(by: world.draw(0.01...2))
        case ..<0.985:
            world.isServerUp = false
            for handle in world.connections.keys { world.connections[handle]?.isDead = true }
        case ..<0.995: world.isServerUp = true
        default:
            guard let victim = world.connections.keys.sorted().randomElement(using: &world.generator) else { return }
            world.connections[victim]?.isDead = true
        }
    }

    /// A borrower that was answered goes on: takes it, finds it dead, or was cancelled meanwhile.
    private func take(_ world: inout SimulatedWorld) throws(SimulationFailure) {
        let open = world.holdings.values.filter { !$0.isTaken }.map(\.handle).sorted()
        guard let handle = open.randomElement(using: &world.generator), let holding = world.holdings[handle] else {
            return
        }
        if world.chance(0.08) {
            world.holdings[handle] = nil
            world.statistics.refusedGrants += 1
            try world.tell(.returnUnused(handle))
        } else if world.connections[handle]?.isDead == true {
            try world.returnDead(handle, deadline: holding.deadline)
        } else {
            world.holdings[handle]?.isTaken = true
        }
    }

    /// A borrower is done, in one of the ways that there are.
    private func giveBack(_ world: inout SimulatedWorld) throws(SimulationFailure) {
        let taken = world.holdings.values.filter(\.isTaken).map(\.handle).sorted()
        guard let handle = taken.randomElement(using: &world.generator) else { return }
        if world.connections[handle]?.isDead == true, world.chance(0.8) {
            if world.holdings[handle]?.toldLoss == false, world.chance(0.5) {
                world.holdings[handle]?.toldLoss = true
                world.noteLossBeforeEvent(of: handle)
                return try world.tell(.lost(handle))
            }
            return try release(handle, .unusable, &world)
        }
        switch world.generator.nextUnit() {
        case ..<0.75: try release(handle, .clean, &world)
        case ..<0.89: try release(handle, .needsReset, &world)
        case ..<0.96: try release(handle, .unusable, &world)
        default: try release(handle, .leaked, &world)
        }
    }

    private func release(
        _ handle: ConnectionHandle, _ condition: ReleaseCondition, _ world: inout SimulatedWorld
    ) throws(SimulationFailure) {
        world.holdings[handle] = nil
        world.statistics.released += 1
        try world.tell(.release(handle, condition))
    }

    /// After a heal, with every lease back, a new acquire must get a connection within its time.
    private func proveUsable(_ world: inout SimulatedWorld) throws(SimulationFailure) {
        world.isServerUp = true
        for handle in world.holdings.keys.sorted() { try release(handle, .clean, &world) }
        for _ in 0..<300 {
            try world.advance(by: .milliseconds(10))
            try world.finishAll()
            for handle in world.holdings.keys.sorted() { try release(handle, .clean, &world) }
        }
        if !world.waiting.isEmpty { throw world.failure("\(world.waiting.count) wait for ever") }
        let deadline = world.now.advanced(by: .seconds(5))
        try world.acquire(deadline: deadline)
        while world.holdings.isEmpty {
            guard world.now < deadline else { throw world.failure("no connection although the server is well") }
            try world.advance(by: .milliseconds(10))
            try world.finishAll()
            let dead = world.holdings.keys.sorted().filter { world.connections[$0]?.isDead == true }
            for handle in dead { try world.returnDead(handle, deadline: deadline) }
        }
    }

    /// A close in the middle of things, with some leases that never come back.
    private func close(_ world: inout SimulatedWorld) throws(SimulationFailure) {
        for _ in 0..<20 { try step(&world) }
        let limit = world.draw(0.001...1)
        world.cutAt = world.now.advanced(by: limit)
        try world.tell(.close(within: limit))
        if !world.waiting.isEmpty { throw world.failure("\(world.waiting.count) wait on a closed pool") }
        for _ in 0..<20 { try step(&world) }
        // By the limit everything has ended by itself or by force: nothing here has to be lucky.
        try world.advance(by: limit)
        guard let closedWith = world.closedWith else { throw world.failure("the close does not end") }
        if closedWith != world.cuts { throw world.failure("\(closedWith) cuts are told, but there were \(world.cuts)") }
        if world.machine.gauges != PoolGauges() { throw world.failure("closed with \(world.machine.gauges)") }
        if world.machine.nextAlarm() != nil { throw world.failure("a closed pool wants an alarm") }
        world.statistics.cut += closedWith
        // Leases that were cut come back late, which must mean nothing.
        for handle in world.holdings.keys.sorted() { try release(handle, .clean, &world) }
        try world.acquire(deadline: world.now.advanced(by: .seconds(1)))
        if !world.waiting.isEmpty { throw world.failure("a closed pool lets someone wait") }
    }

    private static func drawConfiguration(_ seed: UInt64) -> PoolConfiguration {
        var generator = SeededGenerator(seed: seed, stream: "configuration")
        func perhaps(_ range: ClosedRange<Int>, _ generator: inout SeededGenerator) -> Int? {
            Bool.random(using: &generator) ? Int.random(in: range, using: &generator) : nil
        }
        func milliseconds(_ range: ClosedRange<Int>, _ generator: inout SeededGenerator) -> Duration {
            .milliseconds(Int.random(in: range, using: &generator))
        }
        let maxOpen = Int.random(in: 1...6, using: &generator)
        return PoolConfiguration(
            maxOpen: maxOpen, minIdle: Int.random(in: 0...maxOpen, using: &generator),
            maxIdle: perhaps(0...maxOpen, &generator), maxWaiters: perhaps(1...8, &generator),
            maxLifetime: perhaps(200...3_000, &generator).map { .milliseconds($0) },
            maxIdleTime: perhaps(100...2_000, &generator).map { .milliseconds($0) },
            acquireTimeout: milliseconds(50...2_000, &generator), connectTimeout: milliseconds(50...1_000, &generator),
            releaseTimeout: milliseconds(50...2_000, &generator), checkAfterIdle: milliseconds(0...500, &generator),
            healthCheckInterval: milliseconds(100...1_000, &generator),
            leakThreshold: perhaps(100...2_000, &generator).map { .milliseconds($0) },
            maxConnecting: Int.random(in: 1...4, using: &generator), backoffFirst: milliseconds(1...50, &generator),
            backoffCap: milliseconds(50...1_000, &generator))
    }
}

extension SimulatedWorld {
    /// Answers every call that runs now, and what follows from the answers.
    mutating func finishAll() throws(SimulationFailure) {
        // A check may lead to a close, a close to a connect; longer chains do not exist, so this ends.
        for _ in 0..<(4 * configuration.maxOpen) {
            guard !calls.isEmpty else { return }
            try finish(0)
        }
    }
}
