import RigModel

/// The longest waits of each second of the run (that in which they ended), those that were served apart from those that gave up:
/// an outage, in which all give up, must not hide who starved before or after it. A mergeable fold; at most 3 kB for each second.
struct LongestWaits: Sendable {
    /// Of each sort in a second.
    private static let most = 4

    private struct Key: Hashable, Sendable {
        var second: Int64
        var gaveUp: Bool
    }

    private var kept: [Key: Smallest<Incident>] = [:]
    /// Nanoseconds; 0 when nobody waited.
    private(set) var longest: Int64 = 0

    /// - Parameter wait: its weight is how long it was, its time when it ended.
    mutating func add(_ wait: Incident, gaveUp: Bool) {
        longest = max(longest, wait.weight)
        let key = Key(second: wait.time / 1_000_000_000, gaveUp: gaveUp)
        kept[key, default: Smallest(limit: Self.most)].add(wait)
    }

    mutating func merge(_ other: LongestWaits) {
        longest = max(longest, other.longest)
        kept.merge(other.kept) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// Longest first. O(n log n).
    var elements: [Incident] { kept.values.flatMap(\.elements).sorted() }
}
