import ConnectionPool
import PoolSimulator
import RigTestSupport
import Testing

@Suite("A simulated life")
struct LifeTests {
    private let short = SimulatedLife(
        configuration: PoolConfiguration(maxOpen: 1), machineSeed: 1,
        events: [
            .borrow(within: 1_000_000, loop: 0), .answer(call: 0, .well), .release(lease: 0), .settle, .finish,
        ])

    @Test("Somebody borrows, releases, and the pool closes: nothing is broken, and the books show it")
    func shortLife() {
        let record = short.replay()
        #expect(record.failure == nil)
        #expect(record.events == 5)
        #expect(record.coverage.count(of: SimulationCoverage.Outcome.grant) == 1)
        #expect(record.coverage.count(of: SimulationCoverage.Outcome.closePoolClosed) == 1)
    }

    @Test("An event about nothing is passed over")
    func eventsAboutNothing() {
        var life = short
        life.events.insert(contentsOf: [.release(lease: 3), .cancel(waiter: 0), .answer(call: 2, .well)], at: 0)
        let (happened, record) = life.relive(on: realMachine)
        #expect(record.failure == nil)
        #expect(happened.events == short.events)
    }

    @Test("A place beyond the end of a list is counted round, and said so")
    func placesAreCountedRound() {
        var life = short
        life.events[1] = .answer(call: 7, .well)
        #expect(life.relive(on: realMachine).life == short)
    }

    @Test("The same life goes the same way; another configuration goes another one")
    func replayRepeats() {
        #expect(short.replay().digest == short.replay().digest)
        var other = short
        other.configuration.minIdle = 1
        #expect(other.replay().digest != short.replay().digest)
    }

    @Test("Limits of zero are lived with")
    func zeros() {
        var life = short
        life.configuration = PoolConfiguration(
            maxOpen: 1, maxIdleTime: .zero, checkAfterIdle: .zero, healthCheckInterval: .zero, leakThreshold: .zero,
            breakerAfter: .zero, backoffFirst: .zero, backoffCap: .zero)
        #expect(life.replay().failure == nil)
        life.configuration.releaseTimeout = .zero
        life.configuration.checkTimeout = .zero
        #expect(life.replay().failure == nil)
    }

    @Test("A machine that is broken from the start fails before the first event")
    func brokenFromTheStart() {
        var life = short
        life.configuration = PoolConfiguration(maxOpen: 3, minIdle: 3, maxConnecting: 1)
        #expect(life.replay().failure == nil)
        let record = life.replay(on: PlantedDefect.connectStorm.machine)
        #expect(record.failure != nil && record.events == 0)
    }
}
