/// Statistics that a few odd values do not move. Pure.
package enum SteadyStatistics {
    /// The medians of neighbours, of as many as bring the values down to the limit.
    package static func thinned(_ values: [Double], to limit: Int) -> [Double] {
        let width = (values.count + limit - 1) / limit
        guard width > 1 else { return values }
        return stride(from: 0, to: values.count, by: width).compactMap { begin in
            RobustStatistics.median(Array(values[begin..<min(begin + width, values.count)]))
        }
    }

    /// A line through values at 0, 1, 2, …
    package struct Trend: Sendable, Equatable {
        /// Per step: the median of the slopes between all pairs (Theil and Sen).
        package var slope: Double
        /// Mann and Kendall's statistic: by how many standard deviations the pairs that rise outnumber those that fall, or the
        /// other way round when it is negative.
        package var score: Double
        /// Of the line, at the first and at the last value.
        package var first: Double
        package var last: Double
    }

    /// `nil` of less than three values. O(n²).
    package static func trend(_ values: [Double]) -> Trend? {
        let count = values.count
        guard count >= 3 else { return nil }
        var slopes: [Double] = []
        slopes.reserveCapacity(count * (count - 1) / 2)
        var rising = 0
        for later in 1..<count {
            for earlier in 0..<later {
                let difference = values[later] - values[earlier]
                slopes.append(difference / Double(later - earlier))
                rising += difference > 0 ? 1 : difference < 0 ? -1 : 0
            }
        }
        let slope = RobustStatistics.median(slopes) ?? 0
        let offset = RobustStatistics.median(values.enumerated().map { $1 - slope * Double($0) }) ?? 0
        return Trend(
            slope: slope, score: score(rising, values), first: offset, last: offset + slope * Double(count - 1))
    }

    /// With the corrections for ties and for continuity.
    private static func score(_ rising: Int, _ values: [Double]) -> Double {
        func spread(_ count: Int) -> Double { Double(count * (count - 1) * (2 * count + 5)) }
        let ties = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +).values
        let variance = (spread(values.count) - ties.reduce(0) { $0 + spread($1) }) / 18
        guard variance > 0, rising != 0 else { return 0 }
        return Double(rising - rising.signum()) / variance.squareRoot()
    }
}
