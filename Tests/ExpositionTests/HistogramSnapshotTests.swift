import Glibc
import RigModel
import Testing

@testable import Exposition

@Suite struct HistogramSnapshotTests {
    private static let bounds = [0.0001, 0.001, 0.01, 0.1, 1]

    private func histogram(_ nanoseconds: [Int64]) -> LatencyHistogram {
        nanoseconds.reduce(into: LatencyHistogram()) { $0.add(nanoseconds: $1) }
    }

    /// Some of every magnitude, from nothing to hours.
    private func samples(seed: UInt64) -> [Int64] {
        var random = SeededGenerator(seed: seed)
        return (0..<1000).map { _ in
            Int64.random(in: 0...(1 << Int64.random(in: 0...43, using: &random)), using: &random)
        }
    }

    @Test func bucketsCountWhatIsNotLonger() {
        let snapshot = HistogramSnapshot(
            histogram([50_000, 900_000, 900_000, 5_000_000, 2_000_000_000]), bounds: Self.bounds)
        #expect(snapshot.buckets.map(\.cumulativeCount) == [1, 3, 4, 4, 4])
        #expect(snapshot.count == 5)
        #expect(snapshot.sum == 2.00685)
    }

    @Test(arguments: UInt64(1)...10)
    func bucketsAreOffByOneStepOfTheHistogramAtMost(seed: UInt64) {
        let samples = samples(seed: seed)
        let snapshot = HistogramSnapshot(histogram(samples), bounds: Self.bounds)
        for bucket in snapshot.buckets {
            let sure = samples.count { Double($0) / 1e9 <= bucket.upperBound / (1 + 1 / 128.0) }
            let possible = samples.count { Double($0) / 1e9 <= bucket.upperBound }
            #expect((sure...possible).contains(Int(bucket.cumulativeCount)), "\(bucket) of seed \(seed)")
        }
    }

    /// Each sample lies in its native bucket, or, within a step of the histogram, beside it.
    @Test(arguments: UInt64(1)...10)
    func nativeBucketsHoldEverySampleWhereItBelongs(seed: UInt64) {
        let samples = samples(seed: seed)
        let snapshot = HistogramSnapshot(histogram(samples), bounds: [])
        var counts: [Int: Int] = [:]
        var index = 0
        for span in snapshot.spans {
            index += span.offset
            for count in span.counts {
                counts[index] = Int(count)
                index += 1
            }
        }
        let all = counts.values.reduce(0, +) + Int(snapshot.zeroCount)
        #expect(all == samples.count)
        #expect(Int(snapshot.zeroCount) == samples.count { $0 <= 1 })
        for (index, count) in counts {
            let (low, high) = (exp2(Double(index - 1) / 8), exp2(Double(index) / 8))
            let near = samples.count { sample in
                let seconds = Double(sample) / 1e9
                return seconds > low / (1 + 1 / 128.0) && seconds <= high * (1 + 1 / 128.0)
            }
            #expect(count > 0 && count <= near, "bucket \(index) of seed \(seed)")
        }
    }

    @Test func emptyHistogramHasEmptyBuckets() {
        let snapshot = HistogramSnapshot(LatencyHistogram(), bounds: Self.bounds)
        #expect(snapshot.buckets.map(\.cumulativeCount) == [0, 0, 0, 0, 0])
        #expect(snapshot.spans.isEmpty && snapshot.sum == 0)
    }
}
