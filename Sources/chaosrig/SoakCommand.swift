import Foundation
import HostSystem
import Orchestrator
import Reporting
import RigModel
import ScenarioFile

enum SoakCommand: Command {
    static let name = "soak"
    static let summary = "run a scenario over and over on one pool, and watch what drifts"
    static let synopsis = ["FILE --for DURATION [options]"]
    static let details = [
        "Runs the scenario window after window on one living pool. Each window draws its random faults anew from the seed, has "
            + "a history of its own and is judged by itself; memory, descriptors, server sessions and p99 are watched from "
            + "window to window. After a window with a finding a new server and a new pool begin, so that each finding "
            + "counts once."
    ]
    static let operands = ValueKind.scenario
    static let options: [OptionSpec] = [
        .value(
            "--for", "DURATION", "begin windows for so long: 90s, 30m, 8h",
            default: "1h; of a soak that goes on what was planned"),
        RunCommand.seedOption,
        .list("--set", "PATH=VALUE", "change a value of the scenario: --set phases.faults=2m"),
        .value("--out", "DIR", "put the soak's folder into DIR", default: "runs", .folder),
        .value(
            "--keep", "MB", "keep at most so much of the windows' files; valid windows go first", default: "1024"),
        .flag(
            "--resume",
            "go on with the last soak of this scenario that was not finished and ran within the last 24 hours, should there be one"
        ),
        .flag(
            "--resume-only", "the same, but where there is none to go on with do nothing (for the start of a machine)"),
        .value("--from", "DIR", "go on with the soak in this folder, however old", .folder),
        .flag(
            "--json",
            "print report.json instead of the summary; {scenario, error, exit_code} in its place where the soak could not run"
        ),
        .flag("--quiet", "print the verdict line only"),
        .list("--allow-remote", "HOST", "allow a target that is not on this machine"), MetricsOption.spec,
    ]
    static let notes = [
        "Leaves soak.json (written after each window), report.html, report.md, report.json, junit.xml, and windows/NNNN with each window's "
            + "report and, of its history, all where it is not valid, else what happened around faults.",
        "Exit codes: as of run, over all windows; of a soak that gave up that of the error behind it, where it has no finding.",
        "Ctrl-C ends the window that is under way, heals, and writes the report; --resume goes on.",
    ]
    static let examples = ["chaosrig soak faults/soak.yaml --for 8h --resume"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard let file = arguments.positional.first, arguments.positional.count == 1 else {
            throw UsageError("name one scenario file")
        }
        if arguments.has("--from"), arguments.has("--resume-only") {
            throw UsageError("--from names the soak to go on with, --resume-only looks for it: give one of them")
        }
        let seed = try arguments.seed() ?? UInt64.random(in: 0..<(1 << 32))
        let duration = try duration(arguments.value("--for"))
        let keep = try megabytes(arguments.value("--keep"))
        let scenario: Scenario
        do throws(ScenarioErrors) {
            scenario = try ScenarioFiles.load(file, overrides: arguments.list("--set"))
        } catch {
            let failed = FailedScenario(file: file, error)
            Output.error(failed.reason)
            return end(failed, isJSON: arguments.has("--json"))
        }
        let (isJSON, isQuiet) = (arguments.has("--json"), arguments.has("--quiet"))
        let progress = RunPlan.progress(arguments)
        let out = arguments.value("--out") ?? "runs"
        let interrupt = Interrupt()
        var options = RunOptions(
            seed: seed, out: out, allowedRemoteHosts: Set(arguments.list("--allow-remote")),
            replayCommand: RunPlan.replay(["chaosrig", name, file], arguments)
                + " --for \(ParameterValue.text(of: duration ?? SoakRun.Options.defaultDuration))",
            interrupt: interrupt, progress: progress)
        do throws(RunError) {
            let endpoint = try await RunPlan.enterStage([scenario], files: [file], arguments, progress)
            defer { endpoint?.stop() }
            options.metrics = endpoint?.metrics
            let resume = folderToGoOn(scenario, arguments, duration, progress)
            if resume == nil, arguments.has("--resume-only") { return 0 }
            if resume != nil, arguments.has("--seed") { progress.say("the seed stays that of the soak that goes on") }
            let signals = SignalWatch(interrupt, progress: progress)
            defer { signals.stop() }
            options.interrupt = interrupt
            let (log, folder) = try await SoakRun(
                scenario, options: options,
                soak: SoakRun.Options(duration: duration, keepBytes: keep, resume: resume)
            ).run()
            let (nights, problem) = await SoakFiling.file(log, folder: folder, out: out)
            show(log, nights, folder, isJSON: isJSON, isQuiet: isQuiet)
            if let problem { Output.error("\(file): \(problem)") }
            return SoakVerdict(log).exitCode
        } catch {
            Output.error("\(file): \(error)")
            let code = interrupt.raised.map { 128 + $0 } ?? error.exitCode
            return end(
                FailedScenario(file: file, scenario: scenario.name, reason: "\(error)", exitCode: code), isJSON: isJSON
            )
        }
    }

    /// There is no report; who asked for JSON gets what stands in its place.
    private static func end(_ failed: FailedScenario, isJSON: Bool) -> Int32 {
        if isJSON { Output.line(failed.json.prettyText) }
        return failed.exitCode
    }

    /// The soak that goes on; `nil`: none does.
    private static func folderToGoOn(
        _ scenario: Scenario, _ arguments: ParsedArguments, _ duration: Duration?, _ progress: any ProgressDisplay
    ) -> String? {
        let isOnly = arguments.has("--resume-only")
        if let folder = arguments.value("--from") { return folder }
        guard isOnly || arguments.has("--resume") else { return nil }
        let out = arguments.value("--out") ?? "runs"
        let found = UnfinishedSoak.find(scenario, in: out, for: duration)
        // Where nothing else is said this is the answer, also with --quiet.
        let isAnswer = isOnly && found.folder == nil
        func say(_ line: String) { if isAnswer { Output.error(line) } else { progress.say(line) } }
        found.words.forEach(say)
        if found.folder == nil {
            say(
                "there is no soak of \(scenario.name) in \(out) to go on with: "
                    + (isOnly ? "nothing to do" : "a new one begins"))
        }
        return found.folder
    }

    private static func show(_ log: SoakLog, _ nights: SoakNights?, _ folder: String, isJSON: Bool, isQuiet: Bool) {
        if isJSON { return Output.line(ReportJSON.encode(SoakReport.make(log)).prettyText) }
        let verdict = SoakVerdict(log).verdict
        if isQuiet { return Output.line("\(log.scenario) soak: \(verdict.rawValue) (\(folder)/report.md)") }
        let screen = Terminal(descriptor: STDOUT_FILENO)
        Output.line(
            SoakSummary.render(
                log, nights: nights, reportPath: "\(folder)/report.html", width: min(screen.width, 120),
                color: screen.hasColor))
    }

    private static func duration(_ text: String?) throws(UsageError) -> Duration? {
        guard let text else { return nil }
        guard let duration = UnitReader.duration(text), duration > .zero else {
            throw UsageError("--for takes a time with its unit (90s, 30m, 8h), not \"\(text)\"")
        }
        return duration
    }

    private static func megabytes(_ text: String?) throws(UsageError) -> Int {
        guard let text else { return 1 << 30 }
        guard let number = Int(text), (0...1_000_000_000).contains(number) else {
            throw UsageError("--keep takes a whole number of megabytes, not \"\(text)\"")
        }
        return number << 20
    }
}
