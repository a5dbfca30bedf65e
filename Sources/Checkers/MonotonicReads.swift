package import RigModel

/// Time does not run backwards for a reader.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct MonotonicReads: Checker {
    package static let shape = Shape(
        name: "monotonic-reads", summary: "a client never reads something older than what it has read before")

    package static let explanation = Explanation(
        claims: """
            What a client reads from its own counter is never less than what it has read from it before, on any
            connection, under any of its worker numbers.
            """,
        needs: """
            A client that read its counter twice (operation `register`), else unknown.
            """,
        cannotSee: """
            Two reads that are both too old (see read-your-writes); accounts, whose balance may go either way.
            """)

    private var faults = FaultWindows()
    private var sessions = SessionReads(.earlierReads)

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        sessions.observe(event)
    }

    package mutating func merge(_ other: MonotonicReads) {
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
                    "A client read something older than before",
                    expected: "at least \(violation.known.value) from counter \(violation.key), which it had read",
                    seen: "\(violation.seen)", events: [violation.known.index], faults)
            }, total: violations.total)
        return .judged(
            Self.shape.name, findings, unknown: sessions.sawEnough ? nil : "no client ever read its counter twice",
            facts: "\(counted(sessions.reads, "read")) of own counters, each as new as the one before",
            measured: ["reads": JSONValue(sessions.reads), "backwards": JSONValue(violations.total)])
    }
}
