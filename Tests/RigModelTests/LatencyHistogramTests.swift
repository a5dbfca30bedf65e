import RigModel
import Testing

@Suite struct LatencyHistogramTests {
    /// The documented bound: a quantile is never below the true one and at most one step (1/128) above it.
    @Test(arguments: UInt64(1)...10)
    func quantileIsWithinOneStepAboveTheTrueOne(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        // Over all magnitudes, from nanoseconds to hours.
        let samples = (0..<2000).map { _ in
            Int64.random(in: 0...(1 << Int64.random(in: 0...43, using: &random)), using: &random)
        }
        var histogram = LatencyHistogram()
        samples.forEach { histogram.add(nanoseconds: $0) }
        let sorted = samples.sorted()
        for quantile in [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1] {
            let rank = max(1, Int((quantile * 2000).rounded(.up)))
            let truth = sorted[rank - 1]
            let measured = try #require(histogram.nanoseconds(atQuantile: quantile))
            #expect(measured >= truth)
            #expect(Double(measured) <= Double(truth) * (1 + 1 / 128.0), "quantile \(quantile) of seed \(seed)")
        }
        #expect(histogram.maxNanoseconds == sorted.last)
        #expect(histogram.count == 2000)
    }

    @Test func smallDurationsAreExact() {
        for value in Int64(0)...255 {
            var histogram = LatencyHistogram()
            histogram.add(nanoseconds: value)
            histogram.add(nanoseconds: 1_000_000)
            #expect(histogram.nanoseconds(atQuantile: 0.5) == value)
        }
    }

    @Test func mergedHistogramEqualsTheOneOfAllSamples() {
        var parts = [LatencyHistogram(), LatencyHistogram()]
        var whole = LatencyHistogram()
        for value in stride(from: Int64(1), to: 1 << 40, by: 7_777_777_777) {
            parts[Int(value % 2)].add(nanoseconds: value)
            whole.add(nanoseconds: value)
        }
        var merged = parts[0]
        merged.merge(parts[1])
        #expect(merged == whole)
        var reversed = parts[1]
        reversed.merge(parts[0])
        #expect(reversed == whole)
    }

    @Test func emptyHistogramHasNoQuantile() { #expect(LatencyHistogram().nanoseconds(atQuantile: 0.5) == nil) }

    @Test func extremesStayInRange() {
        var histogram = LatencyHistogram()
        histogram.add(nanoseconds: -5)
        histogram.add(nanoseconds: .max)
        #expect(histogram.nanoseconds(atQuantile: 0) == 0)
        #expect(histogram.nanoseconds(atQuantile: 1) == .max)
        #expect(histogram.nanoseconds(atQuantile: 7) == .max)
        #expect(histogram.nanoseconds(atQuantile: -7) == 0)
    }
}
