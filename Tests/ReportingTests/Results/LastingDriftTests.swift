import Foundation
import Testing

@testable import Reporting

/// Levels that follow each other: a regression stays red however many bad nights it has, and whatever came before it.
struct LastingDriftTests {
    /// Under a sanitizer everything is slow.
    private static func few(_ count: Int) -> Int {
        ProcessInfo.processInfo.environment["CHAOSRIG_SANITIZER"] == nil ? count : max(2, count / 10)
    }

    /// - Parameter slower: by how much the recovery takes longer, run by run.
    private func trend(_ slower: [Double], noise: Double = 0.05, seed: Int) -> Trend {
        var builder = RunBuilder(seed: UInt64(seed))
        builder.noise = noise
        return Trend(scenario: "db-restart", runs: slower.map { builder.run(slower: $0) })
    }

    private func levels(_ parts: (slower: Double, runs: Int)...) -> [Double] {
        parts.flatMap { Array(repeating: $0.slower, count: $0.runs) }
    }

    @Test(
        "A regression in the newest runs is red, whether it is one bad night or half of all",
        arguments: [9, 10, 11, 12, 14, 20, 30],
        [(1.8, 0.03), (2, 0.05), (4, 0.05), (4, 0.1)])
    func newestRunsAreFlagged(count: Int, planted: (factor: Double, noise: Double)) {
        for bad in 1...(count / 2) {
            let series = levels((1, count - bad), (planted.factor, bad))
            let missed = (0..<Self.few(20)).count { seed in
                let result = trend(series, noise: planted.noise, seed: seed)
                return !result.flagged.contains {
                    $0.flag.isWorse && $0.flag.reachesNewest && abs($0.flag.at - (count - bad)) <= 1
                }
            }
            #expect(missed == 0, "\(missed) of \(Self.few(20)) with \(bad) bad runs of \(count)")
        }
    }

    @Test("What is worse again after it had become better is red, against the level directly before it")
    func regressionAfterAnImprovement() {
        for (before, good, bad) in [
            (12, 10, 8), (10, 10, 10), (8, 15, 7), (5, 20, 5), (10, 4, 1), (10, 3, 2), (2, 22, 6),
        ] {
            let missed = (0..<Self.few(30)).count { seed in
                let result = trend(levels((10, before), (1, good), (10, bad)), seed: seed)
                return !result.hasDriftNow
                    || !result.flagged.contains {
                        $0.flag.isWorse && $0.flag.at == before + good && $0.flag.usual < $0.flag.seen / 5
                    }
            }
            #expect(missed == 0, "\(missed) of 30 with \(before), \(good), \(bad) runs")
        }
    }

    @Test("What was worse and is mended is told, and is not red for the newest run")
    func mendedRegression() {
        for (before, bad, after) in [(10, 15, 5), (8, 6, 16), (20, 6, 4), (10, 2, 18)] {
            for seed in 0..<Self.few(30) {
                let result = trend(levels((1, before), (3, bad), (1, after)), seed: seed)
                let worse = result.flagged.filter { $0.flag.isWorse }
                #expect(worse.contains { $0.flag.at == before && $0.flag.last == before + bad - 1 })
                #expect(!result.hasDriftNow)
                #expect(worse.allSatisfy { result.words($0.series, $0.flag).contains(" in run") })
            }
        }
    }

    @Test("A rise in two steps is two steps")
    func twoSteps() {
        for seed in 0..<Self.few(30) {
            let result = trend(levels((1, 10), (2, 10), (6, 10)), seed: seed)
            let places = Set(result.flagged.filter { $0.flag.isWorse }.map(\.flag.at))
            #expect(places.isSuperset(of: [10, 20]))
        }
    }

    @Test("What became better is never red, however short or long it is", arguments: [1, 2, 3, 5, 10, 15, 25])
    func improvementIsNeverRed(better: Int) {
        for seed in 0..<Self.few(30) {
            let result = trend(levels((3, 30 - better), (1, better)), seed: seed)
            #expect(!result.hasDrift, "\(result.flagged.map { result.words($0.series, $0.flag) })")
        }
    }

    @Test("One or two fast runs are no level: the return to the usual one is not red", arguments: [1, 2])
    func fastRunsAreNoLevel(fast: Int) {
        for seed in 0..<Self.few(30) {
            #expect(!trend(levels((3, 14), (1, fast), (3, 15)), seed: seed).hasDrift)
        }
    }

    @Test("Skewed and heavy-tailed noise of 5 to 20 %: fewer than one report in twenty flags anything")
    func oddNoiseIsNoDrift() {
        let reports = Self.few(960)
        let flagged = (0..<reports).count { seed in
            var builder = RunBuilder(seed: UInt64(seed))
            builder.shape = RunBuilder.Shape.allCases[seed % 4]
            builder.noise = [0.05, 0.1, 0.15, 0.2][seed / 4 % 4]
            return Trend(scenario: "db-restart", runs: builder.runs(30)).hasDrift
        }
        #expect(flagged * 20 < reports, "\(flagged) of \(reports)")
    }

    @Test("The cut finds every level of a series without noise")
    func cutIsExact() {
        let values = levels((1, 7), (5, 1), (1, 6), (2, 2), (4, 10), (1, 3))
        #expect(Stretches.cut(values, smallestSpread: 0.01) == [0..<7, 7..<8, 8..<14, 14..<16, 16..<26, 26..<29])
        #expect(Stretches.cut([3, 3, 3], smallestSpread: 0.01) == [0..<3])
        #expect(Stretches.cut([3], smallestSpread: 0.01) == [0..<1])
    }
}
