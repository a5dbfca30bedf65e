import Checkers
import Foundation
import HostSystem
import Reporting
import RigModel
import ScenarioFile
import Threading

/// Puts what a run learned into its report and its files.
struct RunReporter: Sendable {
    let scenario: Scenario
    let options: RunOptions
    let startedAt: Date
    /// Which source and machine: ``RunOriginFacts``.
    let origin: [JSONValue.Member]

    func report(_ facts: RunFacts) -> RunReport {
        let conclusion = RunConclusion(facts.judge, scenario)
        let notes = conclusion.notes + facts.leftovers.map { "left behind: \($0)" }
        return RunReport(
            scenario: scenario.name, scenarioSummary: scenario.summary, seed: options.seed, verdict: conclusion.verdict,
            exitCode: Int(Self.exitCode(conclusion, signal: facts.judge.record.signal, leftovers: facts.leftovers)),
            notes: notes,
            startedAt: RunFolder.timestamp(startedAt), durationSeconds: facts.duration.seconds,
            environment: Self.environment() + origin + facts.environment, target: facts.target,
            faults: facts.judge.faults.records, invariants: conclusion.invariants,
            workload: facts.judge.workload.operations, droppedOperations: facts.judge.workload.droppedOperations,
            pool: facts.pool, recovery: facts.judge.recovery.records(),
            replay: options.replay, resources: resources(facts.judge))
    }

    private func resources(_ judge: Judge) -> [JSONValue.Member] {
        let steady = judge.recovery.steadyOkPerSecond.map { ($0 * 1e3).rounded() / 1e3 }
        return judge.resources.members + [.init("steady_ok_per_s", JSONValue(steady))]
    }

    /// As in README.md. What was left behind counts more than any verdict: somebody must act.
    private static func exitCode(_ conclusion: RunConclusion, signal: Int32?, leftovers: [String]) -> Int32 {
        if !leftovers.isEmpty { return 5 }
        return signal.map { 128 + $0 } ?? conclusion.exitCode
    }

    /// After the run, when it costs nothing that is measured: the page reads the whole history once more.
    static func write(_ report: RunReport, to folder: RunFolder) async throws(RunError) {
        try folder.write(ReportJSON.encode(report).prettyText, to: "report.json")
        try folder.write(JUnit.encode([report]), to: "junit.xml")
        let page = try await onOwnThread(
            "report",
            throwing: { () throws(RunError) -> String in
                try StoredRun(folder.path).page(of: report)
            })
        try folder.write(page, to: "report.html")
    }

    /// What is known of this machine and this program before anything runs.
    static func environment() -> [JSONValue.Member] {
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
