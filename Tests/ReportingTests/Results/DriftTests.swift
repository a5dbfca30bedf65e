import Foundation
import RigModel
import Testing

@testable import Reporting

/// The trend over runs: silent about chance, loud about a slow-down.
struct DriftTests {
    /// Under a sanitizer everything is slow.
    private static func few(_ count: Int) -> Int {
        ProcessInfo.processInfo.environment["CHAOSRIG_SANITIZER"] == nil ? count : count / 10
    }

    private func trend(_ runs: [FiledRun]) -> Trend { Trend(scenario: "db-restart", runs: runs) }

    @Test("Thirty noisy runs, a thousand times: fewer than one report in a hundred flags anything")
    func chanceIsNoDrift() {
        let reports = Self.few(1000)
        let flagged = (0..<reports).count { seed in
            var builder = RunBuilder(seed: UInt64(seed))
            builder.noise = [0.02, 0.07, 0.15, 0.3][seed % 4]
            return trend(builder.runs(30)).hasDrift
        }
        #expect(flagged * 100 < reports, "\(flagged) of \(reports)")
    }

    @Test("Few runs flag chance in one report of fifty at most", arguments: [8, 9, 10, 12, 16])
    func chanceIsNoDriftInFewRuns(count: Int) {
        let flagged = (0..<Self.few(300)).count { seed in
            var builder = RunBuilder(seed: UInt64(seed))
            builder.noise = [0.07, 0.15, 0.3][seed % 3]
            return trend(builder.runs(count)).hasDrift
        }
        #expect(flagged <= 6, "\(flagged) of 300")
    }

    @Test("A recovery that takes twice as long is flagged, wherever it is", arguments: [3, 15, 28, 29])
    func slowRecoveryIsFlagged(planted: Int) {
        let missed = (0..<Self.few(300)).count { seed in
            var builder = RunBuilder(seed: UInt64(seed))
            let runs = (0..<30).map { builder.run(slower: $0 == planted ? 2 : 1) }
            let flags = trend(runs).flagged.filter { $0.series.metric.name.hasPrefix("recovery.restart") }
            return !flags.contains { $0.flag.at == planted && $0.flag.kind == .slowRun && $0.flag.isWorse }
        }
        #expect(missed < 3, "\(missed) of 300")
    }

    @Test("A recovery that is far outside of its usual jitter is flagged", arguments: [15, 29])
    func slowRecoveryBesideJitterIsFlagged(planted: Int) {
        let missed = (0..<Self.few(100)).count { seed in
            var builder = RunBuilder(seed: UInt64(seed))
            // With full jitter any pause from nothing to its bound is as likely as any other.
            let runs = (0..<30).map { position in
                var run = builder.run()
                let seconds = position == planted ? 10 : builder.drawEvenly(0..<0.9)
                run.recoveries[0].firstOkSeconds = seconds
                run.recoveries[0].fullPoolSeconds = seconds + 0.05
                return run
            }
            return !trend(runs).flagged.contains { $0.flag.at == planted }
        }
        #expect(missed <= 2, "\(missed) of 100")
    }

    @Test("Six runs that are half as slow again are a step, and the newest run has it")
    func stepIsFlagged() throws {
        let missed = (0..<Self.few(300)).count { seed in
            var builder = RunBuilder(seed: UInt64(seed))
            let runs = (0..<30).map { builder.run(slower: $0 >= 24 ? 1.6 : 1) }
            let steps = trend(runs).flagged.filter { $0.flag.kind == .step && $0.flag.isWorse }
            return !steps.contains { (23...25).contains($0.flag.at) && $0.flag.reachesNewest }
        }
        #expect(missed < 3, "\(missed) of 300")
    }

    @Test("Runs that became faster are told, and are no drift")
    func improvementIsNoDrift() {
        var builder = RunBuilder(seed: 1)
        let result = trend((0..<30).map { builder.run(slower: $0 < 10 ? 3 : 1) })
        #expect(!result.hasDrift)
        #expect(result.flagged.contains { $0.flag.kind == .step && !$0.flag.isWorse && $0.flag.at == 10 })
    }

    @Test("A series that never moved does not call a small change drift, and calls a large one so")
    func seriesWithoutSpread() {
        func flags(_ last: Double) -> Int {
            var runs = (1...12).map { FiledRun.plain(number: $0) }
            for position in runs.indices {
                let seconds = position == 11 ? last : 0.2
                runs[position].recoveries = [
                    .init(
                        fault: "restart #0", firstOkSeconds: seconds, fullPoolSeconds: nil, throughputSeconds: nil,
                        p95Seconds: nil, lostOperations: nil)
                ]
            }
            return trend(runs).flagged.count
        }
        #expect(flags(0.200_003) == 0)
        #expect(flags(0.24) == 0)
        #expect(flags(0.5) == 1)
    }

    @Test("Where most runs recover at once, one that takes a moment is no drift, and one that takes seconds is")
    func mostlyZero() {
        func flags(_ last: Double) -> [Int] {
            var runs = (1...30).map { FiledRun.plain(number: $0) }
            let some = [3: 0.09, 8: 0.12, 14: 0.05, 20: 0.1, 26: 0.08]
            for position in runs.indices {
                runs[position].recoveries = [
                    .init(
                        fault: "restart #0", firstOkSeconds: nil, fullPoolSeconds: nil,
                        throughputSeconds: position == 11 ? last : some[position] ?? 0, p95Seconds: nil,
                        lostOperations: nil)
                ]
            }
            return trend(runs).flagged.map(\.flag.at)
        }
        #expect(flags(0.27) == [])
        #expect(flags(2.7) == [11])
    }

    @Test("Seven runs are too few, and the report says so")
    func fewRunsAreNotJudged() {
        var builder = RunBuilder(seed: 1)
        var runs = builder.runs(6)
        runs.append(builder.run(slower: 20))
        let result = trend(runs)
        #expect(!result.hasDrift)
        #expect(!result.hasEnoughRuns)
        #expect(result.notes.contains { $0.hasPrefix("too few runs: 7") }, "\(result.notes)")
    }

    @Test("Runs of another machine, another scenario or cut short are left out, with the reason")
    func incomparableRunsAreLeftOut() {
        var builder = RunBuilder(seed: 1)
        var runs = (0..<20).map { _ in builder.run() }
        for position in 0..<4 { runs[position] = builder.run(slower: 5) }
        runs[0].origin.cores = 64
        runs[1].scenarioHash = "other"
        runs[2].exitCode = 130
        runs[3].origin.build = "debug"
        let result = trend(runs)
        #expect(!result.hasDrift, "\(result.flagged.map { result.words($0.series, $0.flag) })")
        #expect(result.comparable == 16)
        #expect(result.leftOut[0]?.contains("64 cores") == true)
        #expect(result.leftOut[1] == "another version of the scenario")
        #expect(result.leftOut[2] == "interrupted")
        #expect(result.leftOut[3]?.contains("debug build") == true)
    }

    @Test("A run on a machine that was far busier than usual is left out; on one that is always busy none is")
    func busyMachineIsLeftOut() {
        func left(_ usual: Double, _ last: Double) -> String? {
            var builder = RunBuilder(seed: 4)
            var runs = (0..<20).map { _ in builder.run() }
            runs[19] = builder.run(slower: 5)
            for position in runs.indices {
                runs[position].measures.append(
                    .init(name: FiledRun.runnableThreads, value: position == 19 ? last : usual))
            }
            let result = trend(runs)
            #expect(result.hasDrift == (result.leftOut[19] == nil))
            return result.leftOut[19]
        }
        #expect(left(1, 12) == "the machine was busier than usual")
        #expect(left(1, 4) == nil)
        #expect(left(30, 33) == nil)
    }

    @Test("A newest run that is left out does not make drift of the run before it old")
    func newestIsTheNewestCompared() {
        var builder = RunBuilder(seed: 3)
        var runs = builder.runs(19) + [builder.run(slower: 4)]
        runs.append(builder.run())
        runs[20].exitCode = 130
        let result = trend(runs)
        #expect(result.leftOut[20] == "interrupted" && result.hasDriftNow)
        runs[20].exitCode = 0
        #expect(trend(runs).hasDrift && !trend(runs).hasDriftNow)
    }

    @Test("A newest run of which nobody knows the machine does not become what the others are compared with")
    func unknownMachineIsNoStandard() {
        var builder = RunBuilder(seed: 3)
        var runs = builder.runs(20)
        runs[19].origin = RunOrigin()
        #expect(trend(runs).comparable == 19)
    }

    @Test("Less throughput is worse, more is better")
    func directionCounts() {
        func flags(_ last: Double) -> [Bool] {
            var builder = RunBuilder(seed: 5)
            var runs = builder.runs(20)
            runs[19].measures = [.init(name: "steady_ok_per_s", value: last)]
            return trend(runs).flagged.map(\.flag.isWorse)
        }
        #expect(flags(100) == [true])
        #expect(flags(1600) == [])
    }
}
