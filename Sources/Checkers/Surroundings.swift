import RigModel

/// What most checkers have to know beside their own subject: the faults, the stalls of the machine, the limits that the pool
/// told, and whether the history reaches the run's end. A mergeable fold; memory grows with the faults and the stalls.
struct Surroundings: Sendable {
    private(set) var faults = FaultWindows()
    private(set) var stalls = StallLog()
    /// The first `pool/configured`.
    private var configured: (index: Int, value: JSONValue)?

    mutating func observe(_ event: Event) {
        faults.observe(event)
        switch event.process {
        case .worker, .nemesis: break
        case .probe: stalls.observe(event)
        case .pool:
            if configured == nil, event.function == "configured" { configured = (event.index, event.value) }
        }
    }

    mutating func merge(_ other: Surroundings) {
        faults.merge(other.faults)
        stalls.merge(other.stalls)
        if let theirs = other.configured, theirs.index < configured?.index ?? .max { configured = theirs }
    }

    var isConfigured: Bool { configured != nil }

    /// A number that the pool told of itself; `nil`: it has no such limit, or told none.
    func setting(_ key: String) -> Int64? { configured?.value[key]?.intValue.map { min(max($0, 0), longestLimit) } }

    /// So many pools run side by side.
    var instances: Int64 { min(max(configured?.value["instances"]?.intValue ?? 1, 1), 1_000_000) }

    /// A limit on a number of things, summed over the pools that run side by side.
    func total(_ key: String) -> Int64? {
        setting(key).map { min($0, 1_000_000_000) * instances }
    }

    /// Injections that are proven, in the order of their numbers.
    var landed: [FaultTimeline.Injection] {
        faults.timeline.injections.filter { $0.landed == true && $0.inject != nil }
    }

    /// When the load ended: the begin of `drain`, else of `end`, else the last event.
    var loadEnd: Int64 {
        faults.timeline.begin(ofPhase: "drain") ?? faults.timeline.begin(ofPhase: "end") ?? faults.timeline.lastTime
    }

    /// For how long between two times any fault was active, in nanoseconds; overlapping ones count once. O(n log n).
    func faultTime(from: Int64, to: Int64) -> Int64 {
        var sum: Int64 = 0
        var countedTo = from
        let spans = faults.timeline.unordered.compactMap { injection in
            injection.inject.map { (begin: $0.time, end: injection.heal?.time ?? to) }
        }
        for span in spans.sorted(by: { $0 < $1 }) {
            let begin = max(span.begin, countedTo)
            let end = min(span.end, to)
            if end > begin {
                sum += end - begin
                countedTo = end
            }
        }
        return sum
    }

    /// A fault was active at some time between the two.
    func hasFault(from: Int64, to: Int64) -> Bool {
        faults.timeline.unordered.contains { FaultWindows.isActive($0, from: from, to: to) }
    }

    func stalled(from: Int64, to: Int64) -> Int64 { stalls.stalled(from: from, to: to) }
}

extension InvariantResult {
    /// Findings make it invalid; without any, a reason makes it unknown.
    ///
    /// - Parameters:
    ///   - reason: why nothing could be judged; `nil` when something was.
    ///   - summary: what was looked at, in one line.
    static func judged(
        _ shape: Shape, _ findings: Findings, unless reason: String?, summary: String, measured: JSONValue = [:]
    ) -> InvariantResult {
        let isUnknown = findings.isEmpty && reason != nil
        return InvariantResult(
            name: shape.name, verdict: !findings.isEmpty ? .invalid : isUnknown ? .unknown : .valid,
            summary: isUnknown ? "not judged: \(reason ?? "")" : summary + findings.remark,
            findings: findings.selection, measured: measured)
    }
}

/// Nine years in nanoseconds: limits beyond that are none.
private let longestLimit: Int64 = 1 << 58

extension Parameters {
    /// Nanoseconds, small enough that sums with times never overflow.
    func nanoseconds(_ name: String, default duration: Duration) -> Int64 {
        min((self.duration(name) ?? duration).wholeNanoseconds, longestLimit)
    }
}

extension Event {
    var moment: FaultTimeline.Moment { FaultTimeline.Moment(index: index, time: time) }
}

extension Int64 {
    /// A duration in words.
    var words: String { TimeText.words(nanoseconds: self) }
}

/// ` (+ 1.2 s in which the machine stood still)`, or nothing.
func stallWords(_ nanoseconds: Int64) -> String {
    nanoseconds > 0 ? " (+ \(nanoseconds.words) in which the machine stood still)" : ""
}

/// `12.5 %`: one decimal where there is one.
func percentWords(_ share: Double) -> String { "\(decimalWords(share * 100)) %" }

/// One decimal where there is one.
func decimalWords(_ value: Double) -> String {
    let rounded = (value * 10).rounded() / 10
    return rounded == rounded.rounded() && abs(rounded) < 1e15 ? String(Int64(rounded)) : String(rounded)
}
