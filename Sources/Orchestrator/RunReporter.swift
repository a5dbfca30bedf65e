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
    ///
    /// What cannot be written costs the run no verdict that it has come to: it is noted in the report, which is not green then.
    static func write(_ report: inout RunReport, to folder: RunFolder) async {
        var problems = writeResults(report, to: folder)
        let told = report
        do throws(RunError) {
            let page = try await onOwnThread(
                "report",
                throwing: { () throws(RunError) -> String in
                    try StoredRun(folder.path).page(of: told)
                })
            try folder.write(page, to: "report.html")
        } catch {
            problems.append("\(error)")
        }
        guard !problems.isEmpty else { return }
        report.noteUnwritten(problems)
        // Those that could be written say so, if there is room.
        _ = writeResults(report, to: folder)
    }

    /// - Returns: what could not be written.
    private static func writeResults(_ report: RunReport, to folder: RunFolder) -> [String] {
        var problems: [String] = []
        for (name, text) in [
            ("report.json", ReportJSON.encode(report).prettyText), ("junit.xml", JUnit.encode([report])),
        ] {
            do throws(RunError) { try folder.write(text, to: name) } catch { problems.append("\(error)") }
        }
        return problems
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
