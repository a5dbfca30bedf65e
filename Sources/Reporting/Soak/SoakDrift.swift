import RigModel

/// What grew from window to window. Pure.
///
/// A quantity drifts when it rises steadily (Mann and Kendall's statistic) and by so much (Theil and Sen's line) that it matters:
/// both, since over a night also a tiny slope becomes certain. It must rise in the second half of the windows as well: caches,
/// plans and the allocator's arenas fill up for many windows, ever more slowly. Resources are compared within a segment, whose windows share a
/// process; latency over all of them.
package struct SoakDrift: Sendable, Equatable {
    package enum Quantity: String, Sendable, CaseIterable {
        case memory
        case descriptors
        case serverSessions = "server sessions"
        case p99
    }

    package var quantity: Quantity
    package var segment: Int?
    package var windows: ClosedRange<Int>
    /// Of the line, at its two ends: bytes, a number, or milliseconds.
    package var from: Double
    package var to: Double

    /// Fewer windows say nothing of a trend.
    package static let fewest = 8
    /// One in some thousand trendless series gets as far.
    private static let certain = 3.3
    /// The second half must rise so steeply, in slopes of the whole.
    private static let lasting = 0.75
    /// Of more windows the medians of neighbours are looked at: the slope needs each pair of them.
    private static let most = 400

    /// - Parameter windows: in order; those that were cut short or broken have no numbers and do not count.
    package static func find(_ windows: [SoakWindow]) -> [SoakDrift] {
        let segments = Dictionary(grouping: windows, by: \.segment).sorted { $0.key < $1.key }
        let within = segments.flatMap { segment, windows in
            [
                find(.memory, windows, segment) { $0.residentBytes },
                find(.descriptors, windows, segment) { $0.descriptors },
                find(.serverSessions, windows, segment) { $0.serverSessions },
            ].compactMap { $0 }
        }
        return within + [find(.p99, windows, nil) { $0.p99Milliseconds }].compactMap { $0 }
    }

    /// By how much a quantity has to grow to matter: a share of what it was, and so much at least.
    private static func matters(_ quantity: Quantity) -> (share: Double, least: Double) {
        switch quantity {
        case .memory: (0.2, 16 * 1024 * 1024)
        case .descriptors: (0.1, 8)
        case .serverSessions: (0.1, 2)
        case .p99: (0.5, 5)
        }
    }

    private static func find(
        _ quantity: Quantity, _ windows: [SoakWindow], _ segment: Int?, _ value: (WindowNumbers.Result) -> Double?
    ) -> SoakDrift? {
        // The first window of a segment fills caches.
        var known: Set<Int> = []
        let warm = windows.filter { !known.insert($0.segment).inserted }
        var points = warm.compactMap { window in value(window.numbers).map { (window.number, $0) } }
        // Resources fill up for longer than that: the first quarter, where enough is left.
        if segment != nil { points.removeFirst(max(0, min((points.count + 1) / 4 - 1, points.count - fewest))) }
        guard points.count >= fewest, let first = points.first, let last = points.last else { return nil }
        let values = SteadyStatistics.thinned(points.map(\.1), to: most)
        guard let trend = SteadyStatistics.trend(values),
            let later = SteadyStatistics.trend(Array(values[(values.count / 2)...]))
        else { return nil }
        let (share, least) = matters(quantity)
        let growth = trend.last - trend.first
        guard trend.score > certain, growth > least, growth > share * abs(trend.first) else { return nil }
        // What fills up rises ever more slowly; a leak does not.
        guard later.slope > lasting * trend.slope else { return nil }
        return SoakDrift(
            quantity: quantity, segment: segment, windows: first.0...last.0, from: trend.first, to: trend.last)
    }

    /// `memory grew steadily from 80 MB to 140 MB (windows 2 to 31)`.
    package var words: String {
        let (before, after) = (Self.words(from, quantity), Self.words(to, quantity))
        return "\(quantity.rawValue) grew steadily from \(before) to \(after) "
            + "(windows \(windows.lowerBound) to \(windows.upperBound))"
    }

    package static func words(_ value: Double, _ quantity: Quantity) -> String {
        switch quantity {
        case .memory: "\(Int((value / 1_048_576).rounded())) MB"
        case .descriptors, .serverSessions: "\(Int(value.rounded()))"
        case .p99: "\((value * 10).rounded() / 10) ms"
        }
    }
}
