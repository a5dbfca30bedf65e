import RigModel

/// When the machine, and not the system under test, was too busy to run the rig's own threads. A mergeable fold over
/// `probe/stall`; memory grows with the number of stalls.
struct StallLog: Sendable {
    /// From when the thread should have woken to when it did: in the order of time, those that touch made one.
    private var spans: [ClosedRange<Int64>] = []
    private(set) var count = 0
    /// The longest single stall, in nanoseconds; 0 when there was none.
    private(set) var longest: Int64 = 0

    mutating func observe(_ event: Event) {
        guard event.process == .probe, event.function == "stall", let late = event.value["late_ns"]?.intValue,
            late > 0
        else { return }
        let span = event.time - min(late, Event.timeLimit)...event.time
        count += 1
        longest = max(longest, span.upperBound - span.lowerBound)
        insert(span)
    }

    mutating func merge(_ other: StallLog) {
        count += other.count
        longest = max(longest, other.longest)
        for span in other.spans { insert(span) }
    }

    /// Time in slices of a length: the numbers of those in which the machine stood still for a moment.
    func numbers(ofSlices length: Int64) -> Set<Int64> {
        spans.reduce(into: []) { numbers, span in
            numbers.formUnion(max(0, span.lowerBound) / length...max(0, span.upperBound) / length)
        }
    }

    /// How long the machine stood still between two times, in nanoseconds; overlapping stalls count once. O(log stalls + those
    /// between): it is asked for every connection.
    func stalled(from: Int64, to: Int64) -> Int64 {
        var sum: Int64 = 0
        var position = first(endingAtOrAfter: from)
        while position < spans.count, spans[position].lowerBound < to {
            sum += max(0, min(spans[position].upperBound, to) - max(spans[position].lowerBound, from))
            position += 1
        }
        return sum
    }

    /// Nearly always at the end.
    private mutating func insert(_ span: ClosedRange<Int64>) {
        let begin = first(endingAtOrAfter: span.lowerBound)
        var end = begin
        var whole = span
        while end < spans.count, spans[end].lowerBound <= span.upperBound {
            whole = min(whole.lowerBound, spans[end].lowerBound)...max(whole.upperBound, spans[end].upperBound)
            end += 1
        }
        spans.replaceSubrange(begin..<end, with: CollectionOfOne(whole))
    }

    /// The position of the first span that ends at or after a time.
    private func first(endingAtOrAfter time: Int64) -> Int {
        var low = 0
        var high = spans.count
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].upperBound < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
