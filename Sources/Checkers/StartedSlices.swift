import RigModel

/// How many operations ended, and how many scheduled ones were never started, in each fifth of a second. A mergeable fold; 16
/// bytes a slice.
struct StartedSlices: Sendable {
    /// What a span of time came to.
    struct Count: Sendable, Equatable {
        var ended = 0
        var dropped = 0
        /// The number of the first event that tells of dropped ones.
        var firstDrop: Int?

        mutating func merge(_ other: Count) {
            ended += other.ended
            dropped += other.dropped
            firstDrop = [firstDrop, other.firstDrop].compactMap { $0 }.min()
        }

        /// `1901 of 2101 scheduled operations were never started`.
        var words: String { "\(dropped) of \(dropped + ended) scheduled operations were never started" }
    }

    private var slices: [Int64: Count] = [:]

    mutating func observe(_ event: Event) {
        var count = Count()
        switch event.process {
        case .worker where event.kind != .invoke: count.ended = 1
        case .probe where event.function == "dropped":
            count.dropped = Int(min(max(event.value["operations"]?.intValue ?? 0, 0), 1 << 31))
            count.firstDrop = event.index
        default: return
        }
        slices[event.time / ThresholdSlices.slice, default: Count()].merge(count)
    }

    mutating func merge(_ other: StartedSlices) {
        slices.merge(other.slices) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// - Parameter rest: all slices from this one on count, too.
    func count(in numbers: [Int64], andFrom rest: Int64?) -> Count {
        var sum = Count()
        for number in numbers { if let count = slices[number] { sum.merge(count) } }
        guard let rest else { return sum }
        for (number, count) in slices where number >= rest {
            // What ends after the load is in no bound's time.
            sum.merge(Count(dropped: count.dropped, firstDrop: count.firstDrop))
        }
        return sum
    }
}
