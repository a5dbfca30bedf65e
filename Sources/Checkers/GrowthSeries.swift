import RigModel

/// A number of a process over time, thinned so that memory stays bounded: at most 4096 samples, evenly spread. A mergeable fold
/// over `probe/sample`.
struct GrowthSeries: Sendable {
    private static let most = 4096

    struct Sample: Sendable {
        var at: FaultTimeline.Moment
        var value: Int64
    }

    private(set) var samples: [Sample] = []
    /// Samples that were seen, and of how many one is kept.
    private var seen = 0
    private var stride = 1

    mutating func add(_ value: Int64, at moment: FaultTimeline.Moment) {
        defer { seen += 1 }
        guard seen % stride == 0 else { return }
        samples.append(Sample(at: moment, value: value))
        guard samples.count > Self.most else { return }
        samples = samples.enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
        stride *= 2
    }

    /// The samples of a process are all in one part of the history.
    mutating func merge(_ other: GrowthSeries) {
        if other.seen > seen { (seen, stride) = (other.seen, other.stride) }
        samples = (samples + other.samples).sorted { $0.at < $1.at }
    }

    /// How the number grew.
    struct Growth {
        /// A second; the median of the slopes between all pairs of at most two hundred samples (Theil and Sen), so that neither
        /// single peaks nor a step that is taken back count.
        var perSecond: Double
        /// From the median of the first fifth to that of the last one.
        var begin: Int64
        var end: Int64
        var first: FaultTimeline.Moment
        var last: FaultTimeline.Moment
        var count: Int

        var nanoseconds: Int64 { last.time - first.time }
    }

    /// `nil` when there are fewer than ten samples in a span of time.
    func growth(from: Int64, to: Int64) -> Growth? {
        let inside = samples.filter { $0.at.time >= from && $0.at.time <= to }
        guard inside.count >= 10, let first = inside.first?.at, let last = inside.last?.at, last.time > first.time
        else {
            return nil
        }
        let step = (inside.count + 199) / 200
        let few = inside.enumerated().filter { $0.offset % step == 0 }.map(\.element)
        var slopes: [Double] = []
        for (position, a) in few.enumerated() {
            for b in few[(position + 1)...] where b.at.time > a.at.time {
                slopes.append(Double(b.value - a.value) / (Double(b.at.time - a.at.time) / 1e9))
            }
        }
        slopes.sort()
        let fifth = max(1, inside.count / 5)
        return Growth(
            perSecond: slopes.isEmpty ? 0 : slopes[slopes.count / 2], begin: Self.median(inside.prefix(fifth)),
            end: Self.median(inside.suffix(fifth)), first: first, last: last, count: inside.count)
    }

    private static func median(_ samples: ArraySlice<Sample>) -> Int64 {
        let values = samples.map(\.value).sorted()
        return values[values.count / 2]
    }
}
