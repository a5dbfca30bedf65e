/// The answer of one invariant, or of a run.
package enum Verdict: String, Sendable, Comparable, CaseIterable {
    case valid
    /// Nothing to judge, or the checker could not judge.
    case unknown
    case invalid

    private var severity: Int {
        switch self {
        case .valid: 0
        case .unknown: 1
        case .invalid: 2
        }
    }

    /// Worse is greater, so the verdict of a run is the maximum of its parts.
    package static func < (a: Verdict, b: Verdict) -> Bool { a.severity < b.severity }
}

/// One violation, with what a person needs in order to believe it.
package struct Finding: Sendable, Equatable {
    /// One sentence.
    package var title: String
    package var expected: String
    package var seen: String
    /// Indices of the events in `history.jsonl` that show it; the first few.
    package var events: [Int]
    /// When, in nanoseconds since the run's start.
    package var time: Int64?
    /// The faults that were active at that time, in words; "none" where none was.
    package var activeFault: String
    /// The source line that borrowed the connection, for leaks.
    package var site: String?

    package init(
        title: String, expected: String, seen: String, events: [Int] = [], time: Int64? = nil,
        activeFault: String = "none", site: String? = nil
    ) {
        self.title = title
        self.expected = expected
        self.seen = seen
        self.events = events
        self.time = time
        self.activeFault = activeFault
        self.site = site
    }
}

/// What one invariant came to.
package struct InvariantResult: Sendable, Equatable {
    package var name: String
    package var verdict: Verdict
    /// One line: what was looked at and what was found.
    package var summary: String
    /// At most ``findingLimit``; the summary tells the full number.
    package var findings: [Finding]
    /// Numbers, for reports and trends.
    package var measured: JSONValue

    package static let findingLimit = 20

    package init(
        name: String, verdict: Verdict, summary: String, findings: [Finding] = [], measured: JSONValue = [:]
    ) {
        self.name = name
        self.verdict = verdict
        self.summary = summary
        self.findings = Array(findings.prefix(Self.findingLimit))
        self.measured = measured
    }
}
