import Glibc

/// Cuts a series into stretches of one level each. Pure.
///
/// Of all ways to cut, the one for which the sum of the distances from the medians, in spreads, plus a price for each cut is
/// smallest: the Potts functional with absolute distances, found exactly (M. Storath, A. Weinmann, M. Unser, "Jump-penalized
/// least absolute values estimation of scalar or circle-valued signals", Information and Inference 6, 2017). It sees a level
/// between two others and a lone run as well as a single change, which cutting in two again and again does not. The spread comes
/// from the differences between neighbours, of which a change of the level spoils one and a lone run two.
enum Stretches {
    /// In spreads. Runs that differ by chance alone are hardly ever cut; a lone run is from eight spreads on, the newest from
    /// four on, since it takes one cut less.
    static let price = 4.0

    /// - Parameters:
    ///   - values: at least one.
    ///   - smallestSpread: more than 0; of a series that never moved.
    /// - Returns: in order, without gaps. O(*n*³), with a very small factor.
    static func cut(_ values: [Double], smallestSpread: Double) -> [Range<Int>] {
        let spread = max(spread(values), smallestSpread)
        let count = values.count
        // By the end of a stretch: the smallest sum up to there, and where the last stretch begins.
        var sums = [-price] + [Double](repeating: .infinity, count: count)
        var begins = [Int](repeating: 0, count: count + 1)
        for end in 1...count {
            var sorted: [Double] = []
            sorted.reserveCapacity(end)
            for begin in stride(from: end - 1, through: 0, by: -1) {
                insert(values[begin], into: &sorted)
                let sum = sums[begin] + price + distances(sorted) / spread
                if sum < sums[end] { (sums[end], begins[end]) = (sum, begin) }
            }
        }
        var stretches: [Range<Int>] = []
        var end = count
        while end > 0 {
            stretches.append(begins[end]..<end)
            end = begins[end]
        }
        return stretches.reversed()
    }

    /// The standard deviation of normal values, from the median of the distances between neighbours.
    private static func spread(_ values: [Double]) -> Double {
        let distances = zip(values, values.dropFirst()).map { abs($1 - $0) }
        return (RobustStatistics.median(distances) ?? 0) / (0.6745 * 2.0.squareRoot())
    }

    private static func insert(_ value: Double, into sorted: inout [Double]) {
        sorted.append(value)
        var place = sorted.count - 1
        while place > 0, sorted[place - 1] > value {
            sorted.swapAt(place, place - 1)
            place -= 1
        }
    }

    /// From the median, summed up.
    private static func distances(_ sorted: [Double]) -> Double {
        var sum = 0.0
        var (low, high) = (0, sorted.count - 1)
        while low < high {
            sum += sorted[high] - sorted[low]
            low += 1
            high -= 1
        }
        return sum
    }
}
