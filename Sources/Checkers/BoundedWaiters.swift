package import RigModel

/// Never more acquires wait than the limit allows.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct BoundedWaiters: Checker {
    package static let shape = Shape(
        name: "bounded-waiters", summary: "never more acquires wait than the limit allows",
        parameters: [Parameter("limit", .count, summary: "waiters at the most; left out: the pool's max-waiters")])

    package static let explanation = Explanation(
        claims: """
            Never more acquires wait than the pool may let wait: `max_waiters`, or the scenario's `limit`.
            """,
        needs: """
            One of the two limits, gauges, and that somebody waited at all or was refused.
            """,
        cannotSee: """
            A queue that grows and empties between two samples, and waiters that the pool does not count.
            """)

    private let given: Int64?
    private var surroundings = Surroundings()
    private var waiting = GaugePeaks()
    private var refused = 0

    package init(_ parameters: Parameters) { given = parameters.count("limit").map { Int64($0) } }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        waiting.observe(event) { $0["waiting"]?.intValue }
        if event.completion?.error?.failureClass == "pool-refused" { refused += 1 }
    }

    package mutating func merge(_ other: BoundedWaiters) {
        surroundings.merge(other.surroundings)
        waiting.merge(other.waiting)
        refused += other.refused
    }

    package func finish() -> InvariantResult {
        guard let limit = given ?? surroundings.total("max_waiters") else {
            return .judged(
                Self.shape, Findings(), unless: "the pool has no max-waiters, and the scenario gives no limit",
                summary: "")
        }
        let over = waiting.above(limit)
        var findings = Findings()
        findings.add(
            over.map { peak in
                Finding(
                    title: "\(counted(peak.value, "acquire")) waited at once",
                    expected: "at most \(limit), \(given == nil ? "the pool's max-waiters" : "as the scenario says")",
                    seen: "\(peak.value) waiting at \(peak.at.time.words)", events: [peak.at.index], time: peak.at.time,
                    activeFault: surroundings.faults.words(at: peak.at.time))
            })
        return .judged(
            Self.shape, findings, unless: nothingToJudge,
            summary: "at most \(waiting.peak ?? 0) waited at once (limit \(limit)), "
                + "\(counted(refused, "operation")) refused",
            measured: [
                "limit": .int(limit), "peak": .int(waiting.peak ?? 0), "samples": JSONValue(waiting.samples),
                "samples_over": JSONValue(over.count), "refused": JSONValue(refused),
            ])
    }

    private var nothingToJudge: String? {
        guard let peak = waiting.peak else { return "the pool never told how many wait" }
        return peak == 0 && refused == 0 ? "nobody ever waited for a connection" : nil
    }
}
