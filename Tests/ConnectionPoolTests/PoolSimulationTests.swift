import ConnectionPool
import RigTestSupport
import Testing

@Suite(.timeLimit(.minutes(15)))
struct PoolSimulationTests {
    @Test("Nothing breaks in any of several hundred random lives of a pool, and everything that can happen happened")
    func manySeedsHold() throws {
        var total = SimulationStatistics()
        for seed in 1...300 {
            do {
                // A few long lives among many short ones.
                total.add(try PoolSimulation(seed: UInt64(seed)).run(steps: seed % 100 == 0 ? 3_000 : 150))
            } catch {
                Issue.record("seed \(seed), \(error)")
                return
            }
        }
        for (name, count) in [
            ("lent at once", total.lentAtOnce), ("granted", total.granted), ("refused", total.refused),
            ("timed out", total.timedOut), ("cancelled", total.cancelled), ("refused grants", total.refusedGrants),
            ("found dead", total.foundDead), ("losses", total.losses), ("checks", total.checks),
            ("resets", total.resets), ("connects failed", total.connectsFailed),
            ("leaks suspected", total.leaksSuspected), ("cut", total.cut),
        ] {
            #expect(count > 50, "\(name) happened only \(count) times: the simulation does not explore it")
        }
    }

    @Test("The same seed takes the same way")
    func seedRepeats() throws {
        let first = try PoolSimulation(seed: 42).run(steps: 300)
        #expect(try PoolSimulation(seed: 42).run(steps: 300) == first)
        #expect(try PoolSimulation(seed: 43).run(steps: 300) != first)
    }

    struct Planted: CustomTestStringConvertible {
        let testDescription: String
        let defect: PlantedDefect
    }

    static let planted = [
        Planted(
            testDescription: "a closed connection is not told to the pool",
            defect: .swallowing { if case .disconnected = $0 { true } else { false } }),
        Planted(
            testDescription: "a release is not told to the pool",
            defect: .swallowing { if case .release(_, .clean) = $0 { true } else { false } }),
        Planted(
            testDescription: "a cancelled borrower keeps what it was granted",
            defect: .swallowing { if case .returnUnused = $0 { true } else { false } }),
        Planted(
            testDescription: "a failed connect is not told to the pool",
            defect: .swallowing { if case .connectFailed = $0 { true } else { false } }),
        Planted(testDescription: "the alarm does not fire", defect: .swallowing { $0 == .alarm }),
        Planted(
            testDescription: "a grant does not arrive",
            defect: PlantedDefect(swallowsAction: { if case .grant = $0 { true } else { false } })),
        Planted(
            testDescription: "a refusal does not arrive",
            defect: PlantedDefect(swallowsAction: { if case .refuse = $0 { true } else { false } })),
        Planted(
            testDescription: "a check is never sent",
            defect: PlantedDefect(swallowsAction: { if case .check = $0 { true } else { false } })),
        Planted(
            testDescription: "a connect is not cancelled by the close",
            defect: PlantedDefect(swallowsAction: { if case .cancelConnect = $0 { true } else { false } })),
        Planted(
            testDescription: "a slow check is not aborted by the close",
            defect: PlantedDefect(swallowsAction: { if case .abort = $0 { true } else { false } })),
    ]

    @Test("A planted defect is found within a hundred seeds", arguments: planted)
    func plantedDefectIsFound(_ planted: Planted) {
        for seed in 1...100 {
            do {
                _ = try PoolSimulation(seed: UInt64(seed), defect: planted.defect).run(steps: 150)
            } catch {
                return
            }
        }
        Issue.record("a hundred seeds, and nobody noticed")
    }
}

extension PlantedDefect {
    fileprivate static func swallowing(_ event: @escaping @Sendable (SimulatedEvent) -> Bool) -> PlantedDefect {
        PlantedDefect(swallowsEvent: event)
    }
}
