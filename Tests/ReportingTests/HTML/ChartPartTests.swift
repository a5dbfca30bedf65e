import RigModel
import Testing

@testable import Reporting

struct CoarseHistogramTests {
    @Test func quantilesAreAtMostSixPercentOff() throws {
        var coarse = CoarseHistogram()
        var fine = LatencyHistogram()
        var generator = SeededGenerator(seed: 3, stream: "histogram")
        for _ in 0..<10_000 {
            let value = Int64.random(in: 100_000..<5_000_000_000, using: &generator)
            coarse.add(nanoseconds: value)
            fine.add(nanoseconds: value)
        }
        for quantile in [0.01, 0.5, 0.95, 0.99, 1] {
            let (a, b) = (
                try #require(coarse.nanoseconds(atQuantile: quantile)),
                try #require(fine.nanoseconds(atQuantile: quantile))
            )
            #expect(abs(Double(a) / Double(b) - 1) < 0.07, "\(quantile)")
        }
        #expect(coarse.maxNanoseconds == fine.maxNanoseconds)
    }

    @Test func everyDurationLiesInItsStep() {
        for value: Int64 in [0, 1, 1023, 1024, 16_383, 16_384, 999_999, 1_000_000, 3_600_000_000_000, 1 << 60] {
            let range = CoarseHistogram.range(of: CoarseHistogram.index(of: value))
            #expect(range.contains(value), "\(value) in \(range)")
        }
        #expect(CoarseHistogram.index(of: -5) == 0)
    }

    @Test func mergingIsAddingAll() {
        var (a, b, both) = (CoarseHistogram(), CoarseHistogram(), CoarseHistogram())
        for value: Int64 in [1, 50_000, 7_000_000] {
            a.add(nanoseconds: value)
            both.add(nanoseconds: value)
        }
        b.add(nanoseconds: 900_000_000)
        both.add(nanoseconds: 900_000_000)
        a.merge(b)
        #expect(a == both)
    }
}

struct NiceTicksTests {
    @Test(
        arguments: [
            (0.0, [0.0, 1.0]), (1, [0, 1]), (3, [0, 1, 2, 3]), (16, [0, 5, 10, 15, 20]), (412, [0, 200, 400, 600]),
            (1000, [0, 500, 1000]), (0.3, [0, 1]),
        ] as [(Double, [Double])])
    func countsHaveRoundTicks(_ maximum: Double, _ ticks: [Double]) {
        #expect(NiceTicks.counts(to: maximum, count: 4) == ticks)
    }

    @Test func logarithmicTicksCoverTheirRangeWithRoomForLabels() {
        for (low, high) in [(900.0, 1100.0), (2e4, 7e9), (1e6, 9e6), (1e3, 1e12), (5e7, 5.1e7)] {
            let ticks = NiceTicks.logarithmic(from: low, to: high)
            #expect(ticks.count >= 2 && ticks.count <= 8, "\(ticks)")
            #expect(ticks[0] <= max(low, 1000) && ticks[ticks.count - 1] >= high, "\(ticks)")
            #expect(ticks == ticks.sorted())
        }
    }

    @Test func timesAreMultiplesOfAStepOfAClock() {
        #expect(NiceTicks.times(0..<25_000_000_000).prefix(3) == [0, 2_000_000_000, 4_000_000_000])
        #expect(NiceTicks.times(0..<600_000_000_000).prefix(3) == [0, 60_000_000_000, 120_000_000_000])
        #expect(NiceTicks.times(5_420_000_000..<7_420_000_000).first == 5_600_000_000)
        for length: Int64 in [1, 1_000_000, 3_600_000_000_000, 40 * 3_600_000_000_000] {
            #expect(NiceTicks.times(0..<length).count <= 16)
        }
        #expect(NiceTicks.timeLabel(90_000_000_000, upTo: 600_000_000_000) == "1:30")
        #expect(NiceTicks.timeLabel(500_000_000, upTo: 2_000_000_000) == "0.5 s")
    }
}

struct NumberTextTests {
    @Test func numbersAreGroupedAndRounded() {
        #expect(NumberText.count(1_234_567) == "1,234,567" && NumberText.count(-1000) == "-1,000")
        #expect(NumberText.decimal(0.125, 2) == "0.13" && NumberText.decimal(2, 2) == "2")
        #expect(NumberText.decimal(-0.5, 1) == "-0.5" && NumberText.decimal(.infinity, 1) == "-")
        #expect(NumberText.short(1234.5) == "1,235" && NumberText.short(0.25) == "0.25")
        #expect(NumberText.clock(12_340_000_000) == "12.3 s" && NumberText.clock(185_000_000_000) == "3:05")
        #expect(NumberText.precise(185_120_000_000) == "3:05.12" && NumberText.precise(119_999_999_999) == "2:00.00")
        #expect(NumberText.precise(5_028_208_000) == "5.03 s")
    }
}

struct BucketSeriesTests {
    private struct Count: TimeBucket {
        var number = 0
        mutating func merge(_ later: Count) { number += later.number }
    }

    @Test func widthDoublesAndNothingIsLost() {
        var series = BucketSeries<Count>(start: 100, width: 10, limit: 8)
        for time in stride(from: Int64(100), to: 1000, by: 1) { series[time].number += 1 }
        #expect(series.buckets.count <= 8 && series.width == 160)
        #expect(series.buckets.reduce(0) { $0 + $1.number } == 900)
        #expect(series.span(of: 1) == 260..<420 && series.buckets[1].number == 160)
        #expect(series.coarsened(to: 3).buckets.map(\.number) == [320, 320, 260])
    }

    @Test func whatLiesBeforeTheStartBelongsToTheFirstBucket() {
        var series = BucketSeries<Count>(start: 100, width: 10, limit: 8)
        series[5].number += 1
        #expect(series.buckets.map(\.number) == [1])
    }
}
