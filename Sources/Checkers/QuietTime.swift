import RigModel

/// The time in which nothing but the load went on: from the phase `steady` to the end of the load, without the faults that
/// were injected and the time after each heal in which the system may still recover.
struct QuietTime {
    private let load: Range<Int64>
    private let disturbed: [Range<Int64>]

    /// - Parameter settle: how long after a heal nothing is quiet yet, in nanoseconds.
    init(_ timeline: FaultTimeline, settle: Int64) {
        let begin = timeline.begin(ofPhase: "steady") ?? 0
        let end = timeline.begin(ofPhase: "drain") ?? timeline.begin(ofPhase: "end") ?? timeline.lastTime + 1
        load = begin..<max(begin, end)
        disturbed = timeline.unordered.compactMap { injection in
            guard let inject = injection.inject?.time else { return nil }
            let over = injection.heal.map { min($0.time, Event.timeLimit / 2) + settle } ?? Event.timeLimit
            return inject..<max(inject, over)
        }
    }

    /// Nothing but the load went on from the one time to the other.
    func covers(from: Int64, to: Int64) -> Bool {
        from >= load.lowerBound && to <= load.upperBound
            && !disturbed.contains { $0.lowerBound <= to && $0.upperBound > from }
    }
}
