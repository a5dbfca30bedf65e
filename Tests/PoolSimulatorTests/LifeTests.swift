import ConnectionPool
import PoolSimulator
import Testing

@Suite("A simulated life")
struct LifeTests {
    @Test("Somebody borrows, releases, and the pool closes: nothing is broken")
    func shortLife() {
        let life = SimulatedLife(
            configuration: PoolConfiguration(maxOpen: 1), machineSeed: 1,
            events: [
                .borrow(within: 1_000_000, loop: 0), .answer(call: 0, .well), .release(lease: 0), .settle, .finish,
            ])
        let record = life.replay()
        #expect(record.failure == nil)
        #expect(record.coverage.count(of: SimulationCoverage.Outcome.grant) == 1)
    }
}
