package import ConnectionPool

/// How a life went.
package struct LifeRecord: Sendable {
    /// Events that happened, and transitions of the machine that came of them.
    package var events = 0
    package var transitions = 0
    package var coverage = SimulationCoverage()
    /// The same for two lives only if the same happened in them.
    package var digest: UInt64 = 0
    package var failure: SimulationFailure?
}

/// One life of a pool: a configuration, the seed of the machine's own draws, and a list of events. The same life goes the
/// same way every time.
///
/// ```swift
/// let life = SimulatedLife(configuration: PoolConfiguration(maxOpen: 1), machineSeed: 1, events: [
///     .borrow(within: 1_000_000, loop: 0), .answer(call: 0, .well), .release(lease: 0), .finish,
/// ])
/// #expect(life.replay().failure == nil)
/// ```
package struct SimulatedLife: Sendable, Equatable {
    package var configuration: PoolConfiguration
    package var machineSeed: UInt64
    package var events: [SimulatedEvent]

    package init(configuration: PoolConfiguration, machineSeed: UInt64, events: [SimulatedEvent]) {
        self.configuration = configuration
        self.machineSeed = machineSeed
        self.events = events
    }

    /// Lives it on the real machine.
    package func replay() -> LifeRecord { replay(on: realMachine) }

    package func replay<Machine: SimulatedMachine>(on make: @escaping MachineMaker<Machine>) -> LifeRecord {
        relive(on: make).record
    }

    /// Lives it.
    ///
    /// - Returns: what happened, up to the failure where there is one; events that were about nothing are left out.
    package func relive<Machine: SimulatedMachine>(on make: @escaping MachineMaker<Machine>) -> (
        life: SimulatedLife, record: LifeRecord
    ) {
        var happened = self
        happened.events = []
        let record = Self.live(configuration, machineSeed, on: make) { world throws(SimulationFailure) in
            for event in events {
                happened.events.append(event)
                if let event = try world.apply(event) {
                    happened.events[happened.events.count - 1] = event
                } else {
                    happened.events.removeLast()
                }
            }
        }
        return (happened, record)
    }

    /// Lives what a seed draws.
    ///
    /// - Parameters:
    ///   - steps: events in the middle of the life; its end adds some more.
    ///   - events: is filled with what happened; kept by the caller for its storage.
    static func draw<Machine: SimulatedMachine>(
        seed: UInt64, steps: Int, on make: @escaping MachineMaker<Machine>, into events: inout [SimulatedEvent]
    ) -> LifeRecord {
        events.removeAll(keepingCapacity: true)
        return live(.drawn(seed: seed), seed, on: make) { world throws(SimulationFailure) in
            var script = EventScript(seed: seed)
            for _ in 0..<steps { try Self.step(script.next(world), &world, &events) }
            try Self.step(.settle, &world, &events)
            for _ in 0..<Self.lastSteps { try Self.step(script.next(world), &world, &events) }
            try Self.step(script.close(), &world, &events)
            for _ in 0..<Self.lastSteps { try Self.step(script.next(world), &world, &events) }
            try Self.step(.finish, &world, &events)
        }
    }

    /// Events before and after the close.
    private static let lastSteps = 16

    private static func step<Machine>(
        _ event: SimulatedEvent, _ world: inout SimulatedWorld<Machine>, _ events: inout [SimulatedEvent]
    ) throws(SimulationFailure) {
        events.append(event)
        _ = try world.apply(event)
    }

    private static func live<Machine: SimulatedMachine>(
        _ configuration: PoolConfiguration, _ seed: UInt64, on make: @escaping MachineMaker<Machine>,
        _ body: (inout SimulatedWorld<Machine>) throws(SimulationFailure) -> Void
    ) -> LifeRecord {
        var record = LifeRecord()
        do throws(SimulationFailure) {
            var world = try SimulatedWorld(configuration: configuration, machineSeed: seed, make: make)
            do throws(SimulationFailure) { try body(&world) } catch { record.failure = error }
            record.coverage = world.coverage
            record.transitions = world.transition
            record.digest = world.digest
            record.events = world.steps
        } catch { record.failure = error }
        return record
    }
}

/// The machine of the pool itself.
package let realMachine: MachineMaker<PoolStateMachine> = { configuration, seed, now in
    PoolStateMachine(configuration: configuration, seed: seed, now: now)
}
