import ConnectionPool
import PoolSimulator
import RigModel
import RigTestSupport
import Testing

@Suite("Exploration", .timeLimit(.minutes(15)))
struct ExplorationTests {
    @Test("Nothing is broken in a thousand random lives of the real machine, and everything that can happen happened")
    func manyLivesHold() async {
        let exploration = Exploration(seeds: 1_000, steps: 300, threads: 2)
        let report = await exploration.run()
        let result = SimulationResult(exploration, report)
        #expect(report.failure == nil, "\(result.text)")
        #expect(report.coverage.missing.isEmpty)
        #expect(result.verdict == .valid)
        #expect(report.seeds == 1_000 && report.steps > 300_000)
    }

    @Test("The digest is that of the seeds, on any number of threads")
    func digestIsOfTheSeeds() async {
        let one = await Exploration(firstSeed: 7, seeds: 70, steps: 50).run()
        let three = await Exploration(firstSeed: 7, seeds: 70, steps: 50, threads: 3).run()
        #expect(one.digest == three.digest && one.coverage == three.coverage && one.steps == three.steps)
        #expect(await Exploration(firstSeed: 8, seeds: 70, steps: 50).run().digest != one.digest)
    }

    @Test("The lowest seed that fails is the one that is told, on any number of threads")
    func lowestSeedIsTold() async throws {
        let defect = PlantedDefect.closeWaitsForChecks
        let one = try #require(await Exploration(seeds: 2_000, steps: 200).run(on: defect.machine).failure)
        let three = try #require(
            await Exploration(seeds: 2_000, steps: 200, threads: 3).run(on: defect.machine).failure)
        #expect(one.seed == three.seed && one.failure == three.failure && one.life == three.life)
    }

    @Test("A failing seed alone fails in the same way, and so does its list of events")
    func failureReplays() async throws {
        let defect = PlantedDefect.leakIsNotCleared
        let found = try #require(await Exploration(seeds: 2_000, steps: 200).run(on: defect.machine).failure)
        let alone = await Exploration(firstSeed: found.seed, seeds: 1, steps: 200).run(on: defect.machine)
        #expect(alone.failure?.failure == found.failure && alone.failure?.life == found.life)
        #expect(found.life.replay(on: defect.machine).failure == found.failure)
    }

    @Test("Too few lives to see everything prove nothing")
    func tooFewLivesAreInconclusive() async {
        let exploration = Exploration(seeds: 1, steps: 5)
        let report = await exploration.run()
        #expect(report.failure == nil)
        let result = SimulationResult(exploration, report)
        #expect(result.verdict == .unknown)
        #expect(result.text.contains("never happened: "))
        #expect(result.json["verdict"]?.stringValue == "unknown")
        #expect(result.json["missing"]?.arrayValue?.isEmpty == false)
    }
}
