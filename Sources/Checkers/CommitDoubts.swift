package import RigModel

/// Who asks the server about a COMMIT learns what became of it.
/// What it claims, needs and cannot see stands in ``explanation``.
package struct CommitDoubts: Checker {
    package static let shape = Shape(
        name: "commit-doubts",
        summary: "a COMMIT without an answer does not stay in doubt once the server can be asked",
        parameters: [
            Parameter(
                "settle", .duration, default: .duration(.seconds(2)),
                summary: "how long after a fault, or a stall of the machine, the server may still not be able to say")
        ])

    package static let explanation = Explanation(
        claims: """
            Where the pool asks the server what became of a COMMIT whose answer was lost (`pool.commit-doubt: ask`), it
            is told: no such question ends in `unknown`, unless a fault was active or the machine stood still while it
            was asked or within `settle` before.
            """,
        needs: """
            A COMMIT without an answer about which the server was asked (`doubt` of an attempt).
            """,
        cannotSee: """
            Whether the server's word is true (`retry-correctness` holds it against the rows), and COMMITs about which
            nobody asked.
            """)

    private let settle: Int64
    private var surroundings = Surroundings()
    /// Questions without an answer; the weight is how long they were asked.
    private var open = Smallest<Incident>(limit: 200)
    private var ends: [CommitDoubt.End: Int] = [:]
    private var longest: Int64 = 0

    package init(_ parameters: Parameters) { settle = parameters.nanoseconds("settle", default: .seconds(2)) }

    package mutating func observe(_ event: Event) {
        surroundings.observe(event)
        guard let completion = event.completion else { return }
        for attempt in completion.attempts {
            guard let doubt = attempt.doubt else { continue }
            ends[doubt.end, default: 0] += 1
            let asked = min(max(doubt.askedNanoseconds, 0), Event.timeLimit)
            longest = max(longest, asked)
            guard doubt.end == .unknown else { continue }
            open.add(
                Incident(
                    event, weight: asked, since: event.time - asked,
                    words: "transaction \(doubt.transactionID ?? "without a number")"))
        }
    }

    package mutating func merge(_ other: CommitDoubts) {
        surroundings.merge(other.surroundings)
        open.merge(other.open)
        ends.merge(other.ends, uniquingKeysWith: +)
        longest = max(longest, other.longest)
    }

    package func finish() -> InvariantResult {
        var findings = Findings()
        findings.add(open.elements.filter(couldBeAnswered).map(finding))
        let total = ends.values.reduce(0, +)
        let words = CommitDoubt.End.allCases.compactMap { end in ends[end].map { "\($0) \(end.rawValue)" } }
        return .judged(
            Self.shape.name, findings,
            unknown: total == 0 ? "the server was never asked about a COMMIT" : nil,
            facts: "\(counted(total, "COMMIT")) without an answer, the server was asked for at most \(longest.words): "
                + words.joined(separator: ", "),
            measured: .object(
                CommitDoubt.End.allCases.map { .init($0.rawValue, JSONValue(ends[$0] ?? 0)) }
                    + [.init("longest_ms", .milliseconds(total > 0 ? longest : nil))]))
    }

    private func couldBeAnswered(_ incident: Incident) -> Bool {
        let from = incident.since - settle
        return !surroundings.hasFault(from: from, to: incident.time)
            && surroundings.stalled(from: from, to: incident.time) == 0
    }

    private func finding(_ incident: Incident) -> Finding {
        incident.finding(
            "A COMMIT stayed in doubt although the server could be asked",
            expected: "committed or aborted, from a server that no fault had disturbed for \(settle.words)",
            seen: "\(incident.words) unknown after \(incident.weight.words)", surroundings.faults)
    }
}
