package import RigModel

/// Every query gets its own result.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct OwnResults: Checker {
    package static let shape = Shape(
        name: "own-results", summary: "every query gets its own result, never the answer to another one")

    package static let explanation = Explanation(
        claims: """
            A client that sent a number with its statement got that number back, and not the answer to somebody else's
            statement: the protocol is in step, also after a cancellation, a timeout or an unread result.
            """,
        needs: """
            One answer with a number (`notes.echo`), else unknown.
            """,
        cannotSee: """
            An answer that was mixed up without its number; statements of clients that send none.
            """)

    private var faults = FaultWindows()
    private var own = 0
    private var foreign = Smallest<Incident>(limit: 100)

    package init(_ parameters: Parameters) {}

    package mutating func observe(_ event: Event) {
        faults.observe(event)
        guard let echo = event.completion?.notes?["echo"] else { return }
        if echo.boolValue == true || echo["sent"] != nil && echo["sent"] == echo["got"] {
            own += 1
        } else {
            let words = "sent \(echo["sent"]?.compactText ?? "a number"), got \(echo["got"]?.compactText ?? "none")"
            foreign.add(Incident(event, since: event.completion?.leasedAt, words: words))
        }
    }

    package mutating func merge(_ other: OwnResults) {
        faults.merge(other.faults)
        own += other.own
        foreign.merge(other.foreign)
    }

    package var violationsSoFar: Int? { foreign.total }

    package func finish() -> InvariantResult {
        var findings = Findings()
        findings.add(
            foreign.elements.map {
                $0.finding(
                    "A client got a result that is not its own", expected: "the number that went with the statement",
                    seen: $0.words, faults)
            }, total: foreign.total)
        return .judged(
            Self.shape.name, findings, unknown: own == 0 ? "no answer carried its number" : nil,
            facts: "\(counted(own, "answer")) with its own number",
            measured: ["own": JSONValue(own), "foreign": JSONValue(foreign.total)])
    }
}
