import Foundation
import HostSystem
import Orchestrator
import RigModel
import SelfTest

enum SelfTestCommand: Command {
    static let name = "selftest"
    static let summary = "plant known defects in the pool; every one must be caught"
    static let synopsis = ["[options]"]
    static let details = [
        "Plants known defects in the pool under test, one at a time, from outside, and runs the shipped scenarios, "
            + "shortened: each defect must turn the right invariant red, and the untouched pool must stay green in every one "
            + "of these scenarios. Prints a table: defect, invariant, scenario, and after how many seconds of its run the "
            + "history showed it."
    ]
    static let options: [OptionSpec] = [
        .flag("--short", "a dozen defects of different kinds, in about a minute"),
        .list(
            "--only", "NAME",
            "this defect only, and the untouched pool in its scenario; may be given more than once",
            .words(DefectCatalogue.all.map(\.name))),
        .value(
            "--untouched", "N",
            "no defects: the untouched pool N times, in all these scenarios in turn, with other seeds"),
        .flag("--list", "the defects, without running any"),
        .flag("--json", "print {defects: [{name, invariant, scenario, caught, seconds, …}], untouched: […]}"),
        .value(
            "--jobs", "N", "runs at the same time; a run is idle most of the time",
            default: "two for each processor"),
        .value("--seed", "N", "draw everything random from N", default: "7"),
        .value("--scenarios", "DIR", "where the shipped scenarios are", default: "faults", .folder),
        .value(
            "--out", "DIR", "keep the run folders there",
            default: "a folder in runs/selftest, removed when all is good", .folder),
    ]
    static let notes = [
        "Exit code 0: every defect was caught and the untouched pool is green; 1: one was missed, or the untouched pool is "
            + "red; 4: one could not be judged.",
        "Ctrl-C heals and ends the runs that are under way.",
    ]
    static let examples = ["chaosrig selftest --short"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.isEmpty else { throw UsageError("selftest takes options only; see --only") }
        let isJSON = arguments.has("--json")
        let defects = try chosen(arguments)
        if arguments.has("--list") {
            Output.line(isJSON ? listJSON(defects).prettyText : listText(defects))
            return 0
        }
        let jobs = try arguments.number("--jobs", 1...64) ?? 2 * ProcessInfo.processInfo.activeProcessorCount
        let seed = try arguments.seed() ?? 7
        let untouched = try arguments.number("--untouched", 1...100_000)
        let scenarios = arguments.value("--scenarios") ?? "faults"
        for name in Set(defects.map(\.trial.scenario)).sorted() {
            let file = "\(scenarios)/\(name).yaml"
            guard FileManager.default.fileExists(atPath: file) else {
                throw UsageError("there is no \(file); say where the shipped scenarios are: --scenarios DIR")
            }
        }
        let kept = arguments.value("--out")
        let startedAt = RunFolder.timestamp(Date()).filter { $0 != "-" && $0 != ":" }
        let out = kept ?? "\(standardFolder)/\(startedAt)-\(seed)"
        let hadRuns = SmallFile.exists((standardFolder as NSString).deletingLastPathComponent)
        let interrupt = Interrupt()
        let progress = PlainProgress()
        let signals = SignalWatch(interrupt, progress: progress)
        defer { signals.stop() }
        let runner = SelfTestRunner(
            SelfTestRunner.Options(
                program: "/proc/self/exe", scenarios: scenarios, out: out, seed: seed, jobs: jobs,
                interrupt: interrupt, onEnd: { progress.say(line($0, $1, $2)) }))
        let what = untouched.map { "the untouched pool \($0) times" } ?? "\(defects.count) defects"
        progress.say("\(what), \(jobs) runs at a time; run folders in \(out)")
        let result =
            if let untouched { await runner.runUntouched(untouched, in: defects) } else { await runner.run(defects) }
        if kept == nil, result.isGood || interrupt.raised != nil {
            try? FileManager.default.removeItem(atPath: out)
            // Only where they are empty: others may have put their runs there meanwhile.
            if rmdir(standardFolder) == 0, !hadRuns { rmdir((standardFolder as NSString).deletingLastPathComponent) }
        }
        Output.line(isJSON ? result.json.prettyText : result.text)
        return interrupt.raised.map { 128 + $0 } ?? result.exitCode
    }

    /// Where run folders go that nobody wants to keep.
    private static let standardFolder = "runs/selftest"

    private static func chosen(_ arguments: ParsedArguments) throws(UsageError) -> [Defect] {
        let names = arguments.list("--only")
        guard !names.isEmpty else {
            return arguments.has("--short") ? DefectCatalogue.all.filter(\.isInShort) : DefectCatalogue.all
        }
        if arguments.has("--short") { throw UsageError("--short and --only exclude each other") }
        var defects: [Defect] = []
        for name in names {
            guard let defect = DefectCatalogue.find(name) else {
                let near = NearestName.of(name, in: DefectCatalogue.all.map(\.name)).map { " Did you mean \"\($0)\"?" }
                throw UsageError("there is no defect \"\(name)\".\(near ?? "") See: chaosrig selftest --list")
            }
            // The same name twice would be two runs in one folder.
            if !defects.contains(where: { $0.name == name }) { defects.append(defect) }
        }
        return defects
    }

    private static func line(_ result: TrialResult, _ done: Int, _ count: Int) -> String {
        let seconds = result.secondsToDetection.map { " after \(Int($0.rounded())) s" } ?? ""
        let end =
            switch (result.end, result.invariant) {
            case (.good, let invariant?): "caught by \(invariant)\(seconds)"
            case (.good, nil): "green"
            case (.bad, let invariant?): "MISSED by \(invariant)"
            case (.bad, nil): "RED: \(result.words)"
            case (.undecided, _): "undecided: \(result.words)"
            case (.failed, _): "no verdict: \(result.words)"
            }
        return "[\(done)/\(count)] \(result.name): \(end)"
    }

    private static func listText(_ defects: [Defect]) -> String {
        defects.map {
            "\($0.name) [\($0.family.rawValue)]: \($0.summary)\n    must break \($0.invariant) in \($0.trial.scenario)"
        }
        .joined(separator: "\n")
    }

    private static func listJSON(_ defects: [Defect]) -> JSONValue {
        .array(
            defects.map {
                [
                    "name": .string($0.name), "family": .string($0.family.rawValue), "summary": .string($0.summary),
                    "invariant": .string($0.invariant), "scenario": .string($0.trial.scenario),
                    "changes": .array($0.trial.overrides.map(JSONValue.string)), "short": .bool($0.isInShort),
                ]
            })
    }
}
