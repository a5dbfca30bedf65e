import RigModel

/// When the machine, and not the system under test, was too busy to run the rig's own threads. A mergeable fold over
/// `probe/stall`; memory grows with the number of stalls.
struct StallLog: Sendable {
    /// From when the thread should have woken to when it did.
    private var spans: [ClosedRange<Int64>] = []

    mutating func observe(_ event: Event) {
        guard event.process == .probe, event.function == "stall", let late = event.value["late_ns"]?.intValue,
            late > 0
        else { return }
        spans.append(event.time - min(late, Event.timeLimit)...event.time)
    }

    mutating func merge(_ other: StallLog) { spans += other.spans }

    var count: Int { spans.count }

    /// How long the machine stood still between two times, in nanoseconds; overlapping stalls count once. O(n log n).
    func stalled(from: Int64, to: Int64) -> Int64 {
        var sum: Int64 = 0
        var countedTo = from
        for span in spans.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
            let begin = max(span.lowerBound, countedTo)
            let end = min(span.upperBound, to)
            if end > begin {
                sum += end - begin
                countedTo = end
            }
        }
        return sum
    }
}
