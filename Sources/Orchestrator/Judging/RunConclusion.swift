import Checkers
import Glibc
import Reporting
package import RigModel
import ScenarioFile

/// What a whole history comes to: the same for the run that has just written it and for `check`, years later. Pure.
package struct RunConclusion: Sendable, Equatable {
    package let invariants: [InvariantResult]
    package let verdict: Verdict
    /// Why the verdict is not the invariants' alone, one sentence each.
    package let notes: [String]

    /// As in README.md, of the verdict alone.
    package var exitCode: Int32 {
        switch verdict {
        case .valid: 0
        case .invalid: 1
        case .unknown: 4
        }
    }

    package var invariantsJSON: JSONValue { ReportJSON.encode(invariants) }

    init(_ judge: Judge, _ scenario: Scenario) {
        invariants = judge.results()
        let record = judge.record
        let base = RunVerdict(
            invariants: invariants, faults: judge.timeline, expectedInjections: record.plannedInjections,
            operations: judge.kinds,
            configuredKinds: scenario.workload.mix.filter { $0.weight > 0 }.map(\.kind),
            historyProblem: record.plannedInjections == nil || !record.hasOutcome
                ? "it does not say what was planned, or what became of it" : nil)
        let unseen = judge.behaviours.missing(scenario.workload, scenario.phases)
        var notes = base.notes + record.problems + unseen
        if let signal = record.signal {
            notes.insert(SignalName.interruptionNote(signal), at: 0)
        }
        self.notes = notes
        // An interrupted run has not seen what it set out to see; a problem means that something was not looked at.
        let isWhole = record.signal == nil && record.problems.isEmpty && unseen.isEmpty
        verdict = isWhole ? base.verdict : max(base.verdict, .unknown)
    }
}
