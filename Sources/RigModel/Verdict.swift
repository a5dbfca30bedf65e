/// The answer of one invariant, or of a run.
public enum Verdict: String, Sendable, Comparable, CaseIterable {
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
    public static func < (a: Verdict, b: Verdict) -> Bool { a.severity < b.severity }
}

/// One violation, with what a person needs in order to believe it.
public struct Finding: Sendable, Equatable {
    /// One sentence.
    public var title: String
    public var expected: String
    public var seen: String
    /// Indices of the events in `history.jsonl` that show it; the first few.
    public var events: [Int]
    /// When, in nanoseconds since the run's start.
    public var time: Int64?
    /// The faults that were active at that time, in words; "none" where none was.
    public var activeFault: String
    /// The source line that borrowed the connection, for leaks.
    public var site: String?

    public init(
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
public struct InvariantResult: Sendable, Equatable {
    public var name: String
    public var verdict: Verdict
    /// One line: what was looked at and what was found.
    public var summary: String
    /// At most ``findingLimit``; the summary tells the full number.
    public var findings: [Finding]
    /// Numbers, for reports and trends.
    public var measured: JSONValue

    public static let findingLimit = 20

    public init(
        name: String, verdict: Verdict, summary: String, findings: [Finding] = [], measured: JSONValue = [:]
    ) {
        self.name = name
        self.verdict = verdict
        self.summary = summary
        self.findings = Array(findings.prefix(Self.findingLimit))
        self.measured = measured
    }
}
