import Glibc
package import RigModel

/// A histogram as Prometheus takes it: with the usual buckets, and as a native one. Durations in seconds.
///
/// A step of ``LatencyHistogram`` is at most 0.8 % wide and belongs to a bucket as a whole: a bucket's limit is off by as much.
package struct HistogramSnapshot: Sendable, Equatable {
    /// All durations up to a limit.
    package struct Bucket: Sendable, Equatable {
        /// In seconds; the last one, without a limit, is left out.
        package let upperBound: Double
        package let cumulativeCount: UInt64
    }

    /// Buckets without a gap between them.
    package struct Span: Sendable, Equatable {
        /// How many empty ones lie before it: from bucket 0 for the first span, else from the end of the span before.
        package let offset: Int
        package fileprivate(set) var counts: [UInt64]
    }

    /// Buckets per power of two: 2 to this power. 3: a bucket is 9 % wide.
    package static let schema = 3
    /// What is not longer counts as nothing, in seconds: the resolution of the clock.
    package static let zeroThreshold = 1e-9

    package let count: UInt64
    package let sum: Double
    package let buckets: [Bucket]
    package private(set) var zeroCount: UInt64 = 0
    /// The native buckets. Number `i` reaches from 2^((i-1)/2^schema) to 2^(i/2^schema) seconds.
    package private(set) var spans: [Span] = []

    /// - Parameter bounds: the limits of the usual buckets, in seconds, growing.
    package init(_ histogram: LatencyHistogram, bounds: [Double]) {
        count = histogram.count
        sum = Double(histogram.sumNanoseconds) / 1e9
        var within = [UInt64](repeating: 0, count: bounds.count)
        var next = 0
        var natives: [(index: Int, count: UInt64)] = []
        var zeros: UInt64 = 0
        histogram.forEachStep { first, last, count in
            while next < bounds.count, Double(last) / 1e9 > bounds[next] { next += 1 }
            if next < bounds.count { within[next] += count }
            let middle = (Double(first) + Double(last)) / 2e9
            guard middle > Self.zeroThreshold else {
                zeros += count
                return
            }
            let index = Int((log2(middle) * Double(1 << Self.schema)).rounded(.up))
            if natives.last?.index == index {
                natives[natives.count - 1].count += count
            } else {
                natives.append((index, count))
            }
        }
        var sum: UInt64 = 0
        buckets = zip(bounds, within).map { bound, count in
            sum += count
            return Bucket(upperBound: bound, cumulativeCount: sum)
        }
        zeroCount = zeros
        var end = 0
        for (index, count) in natives {
            if spans.isEmpty || index > end {
                spans.append(Span(offset: index - end, counts: [count]))
            } else if index == end {
                spans[spans.count - 1].counts.append(count)
            }
            end = index + 1
        }
    }
}
