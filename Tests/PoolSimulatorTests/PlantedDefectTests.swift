import ConnectionPool
import PoolSimulator
import RigTestSupport
import Testing

@Suite("Planted defects", .timeLimit(.minutes(15)))
struct PlantedDefectTests {
    @Test(
        "A planted defect is found, shrunk to fewer than 12 events, and not blamed on the real machine",
        arguments: PlantedDefect.allCases)
    func defectIsFound(_ defect: PlantedDefect) async throws {
        let report = await Exploration(seeds: 2_000, steps: 300).run(on: defect.machine)
        let found = try #require(report.failure, "two thousand lives, and nobody noticed")
        var shrinker = try #require(Shrinker(found.life, on: defect.machine))
        let shortest = shrinker.shrink()
        #expect(shortest.events.count < 12, "\(LifePrinter(shortest, title: "", name: "tooLong").test)")
        #expect(shortest.replay(on: defect.machine).failure == shrinker.failure)
        #expect(shortest.replay().failure == nil)
    }

    @Test("In a shrunk life every event is needed")
    func everyEventIsNeeded() async throws {
        let defect = PlantedDefect.lateGrantIsDropped
        let found = try #require(await Exploration(seeds: 2_000, steps: 300).run(on: defect.machine).failure)
        var shrinker = try #require(Shrinker(found.life, on: defect.machine))
        let shortest = shrinker.shrink()
        for index in shortest.events.indices {
            var shorter = shortest
            shorter.events.remove(at: index)
            #expect(shorter.replay(on: defect.machine).failure == nil)
        }
    }

    @Test("A life that breaks nothing cannot be shrunk")
    func goodLifeIsNotShrunk() {
        #expect(
            SimulatedLife(configuration: .drawn(seed: 1), machineSeed: 1, events: [.settle, .finish]).shrunk() == nil)
    }
}
