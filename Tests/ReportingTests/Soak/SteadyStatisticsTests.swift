import RigModel
import Testing

@testable import Reporting

struct SteadyStatisticsTests {
    @Test func lineIsFoundThroughOddValues() throws {
        var values = (0..<20).map { 100 + 3 * Double($0) }
        values[4] = 10_000
        values[11] = -500
        let trend = try #require(SteadyStatistics.trend(values))
        #expect(abs(trend.slope - 3) < 0.2)
        #expect(trend.score > 3)
        #expect(abs(trend.first - 100) < 5)
    }

    @Test func levelSeriesHasNoScore() throws {
        let trend = try #require(SteadyStatistics.trend(Array(repeating: 7, count: 30)))
        #expect(trend == SteadyStatistics.Trend(slope: 0, score: 0, first: 7, last: 7))
        #expect(SteadyStatistics.trend([1, 2]) == nil)
    }

    @Test func noiseAloneIsHardlyEverCertain() throws {
        var generator = SeededGenerator(seed: 3)
        var certain = 0
        for _ in 0..<1000 {
            let values = (0..<24).map { _ in generator.nextUnit() }
            if try #require(SteadyStatistics.trend(values)).score > 3.3 { certain += 1 }
        }
        #expect(certain <= 3)
    }
}
