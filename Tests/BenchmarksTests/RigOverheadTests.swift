import Testing

@testable import Benchmarks

@Suite struct RigOverheadTests {
    private func round(_ speeds: [RigOverhead.Variant: Int]) -> [RigOverhead.Variant: RigRunFigures] {
        speeds.mapValues { RigRunFigures(operations: $0, seconds: 2, processorSeconds: 1) }
    }

    @Test func everyVariantStandsAtEveryPlaceEquallyOften() {
        let rounds = RigOverhead.Variant.allCases.indices.map(RigOverhead.order)
        for place in RigOverhead.Variant.allCases.indices {
            #expect(Set(rounds.map { $0[place] }) == Set(RigOverhead.Variant.allCases))
        }
    }

    /// The machine gets slower from round to round: the ratios do not.
    @Test func onlyFiguresOfOneRoundAreCompared() throws {
        var overhead = RigOverhead()
        for speed in [1000, 500, 250, 4000, 100, 2000] {
            overhead.add(
                round([.plain: speed, .plainAgain: speed, .metrics: speed * 99 / 100, .progress: speed * 98 / 100]))
        }
        #expect(overhead.ratios(.metrics, \.operationsPerSecond).allSatisfy { abs($0 - 0.99) < 0.006 })
        #expect(overhead.ratios(.metrics, \.processorSecondsPerOperation).allSatisfy { $0 > 1 && $0 < 1.02 })
        let line = try #require(overhead.text.split(separator: "\n").first { $0.contains("progress") })
        #expect(line.contains("0.9800 (0.9800 to 0.9800)"), "\(overhead.text)")
    }

    /// The interval of the sign test, from its table: for 20 values the 6th to the 15th.
    @Test func intervalOfTheMedianIsThatOfTheSignTest() {
        let values = (1...20).map(Double.init)
        #expect(RigOverhead.interval(values.reversed()) == 6...15)
        #expect(RigOverhead.interval([1, 2, 3, 4, 5]) == nil)
        #expect(RigOverhead.interval([1, 2, 3, 4, 5, 6]) == 1...6)
    }
}
