import HostSystem
import Orchestrator
import RigModel

enum CheckCommand: Command {
    static let name = "check"
    static let summary = "judge a stored run again, from its history alone"
    static let synopsis = ["DIR… [options]"]
    static let details = [
        "Reads scenario.yaml and history.jsonl of the folder that a run left, and judges every invariant again. The history "
            + "must be whole: events that are missing, doubled, moved or changed are refused with their line. So is a scenario.yaml "
            + "that is not the one of the run. Touches no database."
    ]
    static let operands = ValueKind.runFolder
    static let options: [OptionSpec] = [
        .value(
            "--scenario", "FILE",
            "judge by the invariants of this file, and not by those of the run; the output says so", .scenario),
        .flag("--json", "print the verdict, the notes and every invariant as JSON; several folders: an array"),
    ]
    static let notes = [
        "Exit code: as of a run: 0 valid, 1 violated, 4 inconclusive, also where the history is valid and the report.json "
            + "beside it says otherwise; 2 when history or scenario cannot be trusted. Of several folders the worst: 2, else 1, else 4."
    ]
    static let examples = ["chaosrig check runs/db-restart/latest"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard !arguments.positional.isEmpty else {
            throw UsageError("name at least one run folder, for example runs/db-restart/latest")
        }
        var worst: Int32 = 0
        var values: [JSONValue] = []
        for path in arguments.positional {
            let stored = StoredRun(path)
            let scenario = arguments.value("--scenario")
            let result: Result<StoredJudgement, RunError> = await onOwnThread("check") {
                do throws(RunError) { return .success(try stored.judge(scenarioAt: scenario)) } catch {
                    return .failure(error)
                }
            }
            let code: Int32
            switch result {
            case .success(let judgement):
                code = judgement.exitCode
                values.append(json(judgement, stored))
                if !arguments.has("--json") { show(judgement, stored, scenario) }
            case .failure(let error):
                Output.error("\(error)")
                code = error.exitCode
                values.append(["folder": .string(stored.folder), "error": .string("\(error)")])
            }
            if rank(code) > rank(worst) { worst = code }
        }
        if arguments.has("--json") {
            Output.line((arguments.positional.count == 1 ? values.first ?? .null : .array(values)).prettyText)
        }
        return worst
    }

    /// Good, undecided, violated, not to be trusted.
    private static func rank(_ code: Int32) -> Int { [0, 4, 1].firstIndex(of: code) ?? 3 }

    private static func json(_ judgement: StoredJudgement, _ stored: StoredRun) -> JSONValue {
        let conclusion = judgement.conclusion
        return [
            "folder": .string(stored.folder), "verdict": .string(conclusion.verdict.rawValue),
            "by_scenario_of_run": .bool(judgement.isByScenarioOfRun),
            "reported_verdict": JSONValue(judgement.reportedVerdict?.rawValue),
            "notes": .array((conclusion.notes + [judgement.contradiction].compactMap { $0 }).map { .string($0) }),
            "invariants": conclusion.invariantsJSON,
        ]
    }

    private static func show(_ judgement: StoredJudgement, _ stored: StoredRun, _ scenario: String?) {
        let conclusion = judgement.conclusion
        Output.line("\(stored.folder): \(conclusion.verdict.rawValue)")
        if let scenario, !judgement.isByScenarioOfRun {
            Output.line("  judged by \(scenario), which is not the scenario of this run")
        }
        for invariant in conclusion.invariants {
            Output.line("  \(invariant.verdict.rawValue)  \(invariant.name): \(invariant.summary)")
            for finding in invariant.findings.prefix(3) {
                Output.line("           \(finding.title): expected \(finding.expected), seen \(finding.seen)")
                let time = finding.time.map { "at \(TimeText.words(nanoseconds: $0)), " } ?? ""
                let site = finding.site.map { ", borrowed at \($0)" } ?? ""
                Output.line("           \(time)fault: \(finding.activeFault)\(site)")
                let events = finding.events.map(String.init).joined(separator: ", ")
                if !events.isEmpty { Output.line("           events \(events) of history.jsonl") }
            }
        }
        for note in conclusion.notes { Output.line("  \(note)") }
        if let contradiction = judgement.contradiction { Output.line("  \(contradiction)") }
    }
}
