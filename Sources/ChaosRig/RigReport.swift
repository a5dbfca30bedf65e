import Orchestrator
import Reporting
import RigModel
import Threading

/// The answer of one invariant, or of a run.
public enum RigVerdict: String, Sendable {
    case valid
    /// It could not be judged: a fault did not land, there was nothing to see, an operation never succeeded.
    case unknown
    case invalid

    init(_ verdict: Verdict) {
        switch verdict {
        case .valid: self = .valid
        case .unknown: self = .unknown
        case .invalid: self = .invalid
        }
    }
}

/// One violation of an invariant.
public struct RigFinding: Sendable, Hashable, CustomStringConvertible {
    /// One sentence.
    public let title: String
    public let expected: String
    public let seen: String
    /// Numbers of the events in `history.jsonl` that show it; the first few.
    public let events: [Int]
    /// Since the beginning of the run.
    public let time: Duration?
    /// The faults that were active then, in words.
    public let activeFault: String

    public var description: String {
        let when = time.map { "at \(TimeText.words(nanoseconds: $0.nanoseconds)), " } ?? ""
        return "\(title): expected \(expected); seen: \(seen) (\(when)active fault: \(activeFault))"
    }
}

/// What one invariant came to.
public struct RigInvariant: Sendable, Hashable {
    public let name: String
    public let verdict: RigVerdict
    /// What was looked at, and what was found.
    public let summary: String
    /// At most 20; the summary tells the full number.
    public let findings: [RigFinding]
}

/// What a kind of operation came to.
public struct RigOperations: Sendable, Hashable {
    public let kind: String
    /// It happened.
    public let ok: Int
    /// It certainly did not, and never will.
    public let fail: Int
    /// It may or may not have happened.
    public let info: Int
}

/// What a run came to.
public struct RigReport: Sendable, CustomStringConvertible {
    public let scenario: String
    public let verdict: RigVerdict
    public let invariants: [RigInvariant]
    /// Why the verdict is not the invariants' alone: a fault that did not land, something left behind.
    public let notes: [String]
    public let operations: [RigOperations]
    public let seed: UInt64
    public let duration: Duration
    /// The command that runs the same again.
    public let replay: String
    /// Absolute path of the run folder: `history.jsonl` (every event), `report.json`, `server.log`, …
    public let folder: String
    /// The summary that `chaosrig run` prints.
    public let description: String

    public func invariant(_ name: String) -> RigInvariant? { invariants.first { $0.name == name } }

    init(_ outcome: RunOutcome) {
        let report = outcome.report
        scenario = report.scenario
        verdict = RigVerdict(report.verdict)
        invariants = report.invariants.map { RigInvariant($0) }
        notes = report.notes
        operations = report.workload.map { RigOperations(kind: $0.kind, ok: $0.ok, fail: $0.fail, info: $0.info) }
        seed = report.seed
        duration = .seconds(report.durationSeconds)
        replay = report.replay
        folder = outcome.folder
        description = ConsoleSummary.render(
            report, reportPath: "\(outcome.folder)/report.html", width: 120, color: false)
    }
}

extension RigInvariant {
    init(_ result: InvariantResult) {
        self.init(
            name: result.name, verdict: RigVerdict(result.verdict), summary: result.summary,
            findings: result.findings.map { finding in
                RigFinding(
                    title: finding.title, expected: finding.expected, seen: finding.seen, events: finding.events,
                    time: finding.time.map { .nanoseconds($0) }, activeFault: finding.activeFault)
            })
    }
}
