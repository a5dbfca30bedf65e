import ConnectionPool
import Foundation
import PoolSimulator
import RigModel
import RigTestSupport
import Testing

/// What is printed compiles: `PrintedTestSample.swift` is what was printed once, and this looks whether it still is.
@Suite("A printed test")
struct PrintedTestTests {
    private let life = SimulatedLife(
        configuration: PoolConfiguration(
            maxOpen: 2, minIdle: 1, maxIdle: 1, maxWaiters: 3, maxLifetime: .milliseconds(1_500),
            maxLifetimeJitter: 0.25,
            maxIdleTime: .seconds(3), connectTimeout: .nanoseconds(1_234_567), checkTimeout: .seconds(1),
            releaseTimeout: .milliseconds(5), checkAfterIdle: .zero, idleOrder: .roundRobin,
            healthCheckInterval: .seconds(5),
            leakThreshold: .milliseconds(40), overtaking: .milliseconds(1), maxConnecting: 2, connectsPerSecond: 50.5,
            breakerAfter: nil, isInstrumented: false, backoffFirst: .milliseconds(1), backoffCap: .milliseconds(2)),
        machineSeed: 7,
        events: [
            .borrow(within: 1_000_000_000, loop: -1), .queue(within: 0, loop: 1), .cancel(waiter: 0),
            .answer(call: 0, .well), .answer(call: 0, .failed), .cancelLate(lease: 0), .findDead(lease: 0),
            .waitUntilFilled, .cancelFillWait, .kill(connection: 0), .killAll, .idleEvent(connection: 0), .suspend,
            .resume, .stall(12_345), .earlyAlarm, .resize(maxOpen: 3, minIdle: 0, maxIdle: nil),
            .resize(maxOpen: 2, minIdle: 1, maxIdle: 2), .retireAll, .noteLoss(lease: 0), .pass(20_000_000),
            .giveBack(lease: 0, .needsReset), .giveBack(lease: 0, .leaked), .release(lease: 0),
            .close(cancelAfter: nil, cutAfter: 5), .close(cancelAfter: 4, cutAfter: 5_000), .releaseCut(lease: 0),
            .settle,
            .giveBackUntaken(lease: 0), .finish,
        ])

    private var printed: String {
        LifePrinter(
            life, title: #"Seed 7: says "\" and quotes"#, name: "simulatedSeed7",
            machine: "PlantedDefect.warmUpIsNotTold.machine"
        ).test
    }

    @Test("Every kind of event and every limit is printed as the source that is compiled beside this")
    func sampleIsWhatIsPrinted() throws {
        var file = URL(fileURLWithPath: #filePath)
        file.deleteLastPathComponent()
        let sample = try String(contentsOf: file.appendingPathComponent("PrintedTestSample.swift"), encoding: .utf8)
        // Without the attribute: the sample fails, which is proven below.
        let body = printed.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().joined(separator: "\n")
        #expect(sample.hasSuffix(body), "\(printed)")
        #expect(printed.hasPrefix(#"@Test("Seed 7: says \"\\\" and quotes")"# + "\n"))
    }

    @Test("It fails while the defect is there")
    func sampleFails() { withKnownIssue { simulatedSeed7() } }

    @Test("The file names what it needs")
    func fileImports() {
        let file = LifePrinter(life, title: "x", name: "x").file
        #expect(
            file.hasPrefix("import ConnectionPool\nimport PoolSimulator\nimport Testing\n\n@Test(\"x\")\nfunc x() {\n"))
        #expect(file.contains("life.replay().failure == nil"))
    }

    @Test("A failure is told with its seed, the command that repeats it, and the test")
    func failureIsTold() async throws {
        let defect = PlantedDefect.lastWaiterFirst
        let exploration = Exploration(seeds: 100, steps: 200)
        let report = await exploration.run(on: defect.machine)
        let seed = try #require(report.failure?.seed)
        let result = SimulationResult(
            exploration, report, on: defect.machine, machine: "PlantedDefect.\(defect).machine")
        #expect(result.verdict == .invalid)
        #expect(result.text.contains("✗ INVALID seed \(seed)"))
        #expect(result.text.contains("chaosrig simulate --seed \(seed) --seeds 1 --steps 200"))
        #expect(result.text.contains("life.replay(on: PlantedDefect.lastWaiterFirst.machine)"))
        #expect(result.json["failure"]?["test"]?.stringValue?.contains("func simulatedSeed\(seed)()") == true)
    }
}
