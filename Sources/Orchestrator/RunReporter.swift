import Checkers
import Foundation
import Reporting
import RigModel
import ScenarioFile
import Threading

/// Puts what a run learned into its report and its files.
struct RunReporter: Sendable {
    let scenario: Scenario
    let options: RunOptions
    let startedAt: Date

    func report(_ facts: RunFacts) -> RunReport {
        let invariants = facts.judge.results()
        let verdict = RunVerdict(
            invariants: invariants, faults: facts.judge.timeline, expectedInjections: facts.plannedInjections,
            operations: facts.judge.kinds, configuredKinds: scenario.workload.mix.filter { $0.weight > 0 }.map(\.kind))
        var notes = verdict.notes + facts.problems + facts.leftovers.map { "left behind: \($0)" }
        let signal = options.interrupt.raised
        if let signal { notes.insert("interrupted by \(signal == SIGINT ? "SIGINT" : "SIGTERM")", at: 0) }
        // An interrupted run has not seen what it set out to see; a problem means that something was not looked at.
        let isWhole = signal == nil && facts.problems.isEmpty
        let final = isWhole ? verdict.verdict : max(verdict.verdict, .unknown)
        return RunReport(
            scenario: scenario.name, scenarioSummary: scenario.summary, seed: options.seed, verdict: final,
            exitCode: Int(Self.exitCode(final, signal: signal, leftovers: facts.leftovers)), notes: notes,
            startedAt: RunFolder.timestamp(startedAt), durationSeconds: facts.duration.seconds,
            environment: Self.environment() + facts.environment, target: facts.target,
            faults: facts.judge.faults.records, invariants: invariants,
            workload: facts.judge.workload.operations, droppedOperations: facts.judge.workload.droppedOperations,
            pool: facts.pool, recovery: facts.judge.recovery.records(),
            replay: "\(options.replayCommand) --seed \(options.seed)")
    }

    /// design.md §5. What was left behind counts more than any verdict: somebody must act.
    private static func exitCode(_ verdict: Verdict, signal: Int32?, leftovers: [String]) -> Int32 {
        if !leftovers.isEmpty { return 5 }
        if let signal { return 128 + signal }
        switch verdict {
        case .valid: return 0
        case .invalid: return 1
        case .unknown: return 4
        }
    }

    static func write(_ report: RunReport, to folder: RunFolder) throws(RunError) {
        try folder.write(ReportJSON.encode(report).prettyText, to: "report.json")
        try folder.write(JUnit.encode([report]), to: "junit.xml")
    }

    private static func environment() -> [JSONValue.Member] {
        var names = utsname()
        uname(&names)
        func text<T>(_ field: T) -> String {
            withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return [
            .init("chaosrig", .string(RigVersion.current)),
            .init("kernel", .string("\(text(names.sysname)) \(text(names.release))")),
            .init("machine", .string(text(names.machine))),
            .init("cores", JSONValue(ProcessInfo.processInfo.activeProcessorCount)),
        ]
    }
}
