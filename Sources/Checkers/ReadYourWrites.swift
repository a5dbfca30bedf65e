package import RigModel

/// Whoever was told that a write was done reads it, or something newer.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct ReadYourWrites: Checker {
    package static let shape = Shape(
        name: "read-your-writes", summary: "a client reads what it was told to have written, or something newer")

    package static let explanation = Explanation(
        claims: """
            A client that wrote n to its own counter and was told `ok` never reads less than n afterwards, on any
            connection, under any of its worker numbers: also after a failover, from a replica, out of a cache.
            """,
        needs: """
            A read of a counter by a client that had written it (operation `register`), else unknown.
            """,
        cannotSee: """
            What others wrote; accounts and appended rows, which many clients write, so that a client cannot know what
            it ought to read (money-conserved and retry-correctness judge those).
            """)

    private var faults = FaultWindows()
    private var sessions = SessionReads(.acknowledgedWrites)

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        sessions.observe(event)
    }

    package mutating func merge(_ other: ReadYourWrites) {
        faults.merge(other.faults)
        sessions.merge(other.sessions)
    }

    package var violationsSoFar: Int? { sessions.violationsSoFar }

    package func finish() -> InvariantResult {
        var findings = Findings()
        let violations = sessions.violations
        findings.add(
            violations.list.map { violation in
                violation.incident.finding(
                    "A client did not read its own write",
                    expected: "at least \(violation.known.value) from counter \(violation.key), which it had written",
                    seen: "\(violation.seen)", events: [violation.known.index], faults)
            }, total: violations.total)
        return .judged(
            Self.shape.name, findings,
            unknown: sessions.sawEnough ? nil : "no client ever read a counter that it had written",
            facts: "\(counted(sessions.reads, "read")) after \(counted(sessions.writes, "write")) of own counters",
            measured: [
                "reads": JSONValue(sessions.reads), "writes": JSONValue(sessions.writes),
                "stale": JSONValue(violations.total),
            ])
    }
}
