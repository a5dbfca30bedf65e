import RigModel

/// How long the operations took that were due in each tenth of a second, however they ended: counted from the time at which the
/// schedule wanted them (where there is one), so that what had to wait for its client is not forgotten. A mergeable fold; about
/// 0.3 kB for each slice.
struct ScheduledSlices: Sendable {
    static let length: Int64 = 100_000_000

    private var slices: [Int64: LatencySketch] = [:]
    private var begun: [Int: Int64] = [:]
    /// Some operation told how late it was against its schedule: the load does not wait for the answers.
    private(set) var hasSchedule = false

    mutating func observe(_ event: Event) {
        guard case .worker(let number) = event.process else { return }
        if event.kind == .invoke {
            begun[number] = event.time
            return
        }
        guard let begin = begun.removeValue(forKey: number) else { return }
        let lag = event.completion?.lagNanoseconds
        if lag != nil { hasSchedule = true }
        let due = max(0, begin - (lag ?? 0))
        slices[due / Self.length, default: LatencySketch()].add(nanoseconds: event.time - due)
    }

    mutating func merge(_ other: ScheduledSlices) {
        begun.merge(other.begun) { max($0, $1) }
        hasSchedule = hasSchedule || other.hasSchedule
        slices.merge(other.slices) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// All that was due in the slices that lie within a span.
    func sketch(from: Int64, to: Int64) -> LatencySketch {
        var sum = LatencySketch()
        let first = (from + Self.length - 1) / Self.length
        let last = to / Self.length
        for (number, sketch) in slices where number >= first && number < last { sum.merge(sketch) }
        return sum
    }
}
