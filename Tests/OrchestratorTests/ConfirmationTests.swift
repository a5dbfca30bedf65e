import RigModel
import Testing

@testable import Orchestrator

struct ConfirmationTests {
    private func report(_ invariants: [(String, Verdict)], exitCode: Int = 1) -> RunReport {
        RunReport(
            scenario: "s", scenarioSummary: "", seed: 7, verdict: invariants.map(\.1).max() ?? .valid,
            exitCode: exitCode, notes: [], startedAt: "2026-11-21T22:00:00Z", durationSeconds: 9, environment: [],
            target: "", faults: [],
            invariants: invariants.map {
                InvariantResult(name: $0.0, verdict: $0.1, summary: "", findings: [], measured: .null)
            }, workload: [], droppedOperations: 0, pool: [], recovery: [], replay: "")
    }

    @Test func onlyMeasuredBoundsAreConfirmed() {
        #expect(Confirmation.isWanted(of: report([("timeouts", .invalid), ("money-conserved", .valid)])))
        #expect(Confirmation.isWanted(of: report([("timeouts", .invalid), ("recovery", .invalid)])))
        // A proof needs no second run, also beside what was measured.
        #expect(!Confirmation.isWanted(of: report([("retry-correctness", .invalid)])))
        #expect(!Confirmation.isWanted(of: report([("timeouts", .invalid), ("zero-leaked-connections", .invalid)])))
        #expect(!Confirmation.isWanted(of: report([("timeouts", .unknown)])))
        // Something was left behind: that counts more.
        #expect(!Confirmation.isWanted(of: report([("timeouts", .invalid)], exitCode: 5)))
    }

    @Test func whatNeverCameAgainIsInconclusiveAndNamed() {
        let first = report([("timeouts", .invalid), ("money-conserved", .valid)])
        let after = Confirmation.unconfirmed(first, after: 3)
        #expect(after.verdict == .unknown && after.exitCode == 4)
        #expect(after.invariants.map(\.verdict) == [.unknown, .valid])
        #expect(after.notes.first?.hasPrefix("timeouts: seen once, and not again in 3 more runs") == true)
    }
}
