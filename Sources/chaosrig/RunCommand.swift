import Foundation
import HostSystem
import Orchestrator
import Reporting
import RigModel
import ScenarioFile

enum RunCommand: Command {
    static let name = "run"
    static let summary = "run scenarios and judge them"
    static let options: [OptionSpec] = [
        .value("--seed", "N"), .list("--set", "PATH=VALUE"), .value("--out", "DIR"), .flag("--json"),
        .flag("--quiet"), .flag("--keep-going"), .list("--allow-remote", "HOST"),
    ]
    static let help = """
        Usage: chaosrig run FILE… [options]

        Runs each scenario: starts its target, puts load on the pool, injects the faults, checks the invariants, heals and
        cleans up, and writes a run folder with history.jsonl, report.json and junit.xml.

        Options:
          --seed N              draw everything random from N (0…2⁵³); default: from the clock, and printed
          --set PATH=VALUE      change a value of the scenario: --set pool.max-open=5 --set faults.0.restart.mode=crash
          --out DIR             put run folders into DIR instead of runs/
          --json                print report.json (an array for several files) instead of the summary
          --quiet               print the verdict line only
          --keep-going          go on with the next file after one that was not valid
          --allow-remote HOST   allow a target that is not on this machine

        Example:
          chaosrig run faults/db-restart.yaml --seed 7 --set invariants.recovery.within=3s

        Ctrl-C stops the run: faults are healed, the server is stopped, the report is still written.
        """

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard !arguments.positional.isEmpty else { throw UsageError("name at least one scenario file") }
        let seed = try seed(arguments.value("--seed"))
        let isJSON = arguments.has("--json")
        let isQuiet = arguments.has("--quiet")

        // All files are read before anything is started.
        var scenarios: [(file: String, scenario: Scenario)] = []
        for file in arguments.positional {
            do throws(ScenarioErrors) {
                scenarios.append((file, try ScenarioFiles.load(file, overrides: arguments.list("--set"))))
            } catch {
                Output.error(error.description)
                return 2
            }
        }

        let interrupt = Interrupt()
        let screen = Terminal(descriptor: STDERR_FILENO)
        let progress: any ProgressDisplay =
            if isJSON || isQuiet { SilentProgress() } else if screen.isTerminal { TerminalProgress(screen) } else {
                PlainProgress()
            }
        do throws(RunError) {
            try await enterStage(scenarios.map(\.scenario), files: arguments.positional, progress)
        } catch {
            Output.error("\(error)")
            return error.exitCode
        }
        let signals = SignalWatch(interrupt, progress: progress)
        defer { signals.stop() }

        var reports: [RunReport] = []
        var worst: Int32 = 0
        for (file, scenario) in scenarios where interrupt.raised == nil {
            let options = RunOptions(
                seed: seed, out: arguments.value("--out") ?? "runs",
                allowedRemoteHosts: Set(arguments.list("--allow-remote")),
                replayCommand: replay(file, arguments), interrupt: interrupt, progress: progress)
            let code: Int32
            do throws(RunError) {
                let outcome = try await ScenarioRun(scenario, options: options).run()
                reports.append(outcome.report)
                if !isJSON { show(outcome, isQuiet: isQuiet) }
                code = outcome.exitCode
            } catch {
                Output.error("\(file): \(error)")
                code = interrupt.raised.map { 128 + $0 } ?? error.exitCode
            }
            if worst == 0 { worst = code }
            if code != 0, !arguments.has("--keep-going") { break }
        }
        if isJSON {
            let values = reports.map { ReportJSON.encode($0) }
            if scenarios.count == 1, let only = values.first {
                Output.line(only.prettyText)
            } else if scenarios.count > 1 {
                Output.line(JSONValue.array(values).prettyText)
            }
        }
        return worst
    }

    /// Where faults touch packets or mounts the rig goes on in a network and a mount table of its own: begins anew there, as the
    /// same process.
    private static func enterStage(
        _ scenarios: [Scenario], files: [String], _ progress: any ProgressDisplay
    ) async throws(RunError) {
        guard PrivateStage.state == .outside, ScenarioRun.wantPrivateStage(scenarios) else { return }
        if let pipe = files.first(where: { !SmallFile.isPlain($0) }) {
            PrivateStage.giveUp("\(pipe) is not a file and can be read only once")
        } else if let reason = await ScenarioRun.refusalOfStage() {
            PrivateStage.giveUp(reason)
        } else {
            try await ScenarioRun.healDeadRuns(progress)
            PrivateStage.reenter(arguments: CommandLine.arguments)
        }
        if case .unavailable(let reason) = PrivateStage.state { progress.say("no private stage: \(reason)") }
    }

    private static func show(_ outcome: RunOutcome, isQuiet: Bool) {
        let screen = Terminal(descriptor: STDOUT_FILENO)
        if isQuiet {
            Output.line(
                "\(outcome.report.scenario): \(outcome.report.verdict.rawValue) (\(outcome.folder)/report.json)")
        } else {
            Output.line(
                ConsoleSummary.render(
                    outcome.report, reportPath: "\(outcome.folder)/report.json", width: min(screen.width, 120),
                    color: screen.hasColor))
        }
    }

    /// Seeds stay below 2⁵³, so that readers that keep numbers as doubles can give them back.
    private static func seed(_ text: String?) throws(UsageError) -> UInt64 {
        guard let text else { return UInt64.random(in: 0..<(1 << 32)) }
        guard let seed = UInt64(text), seed <= 1 << 53 else {
            throw UsageError("--seed takes a whole number from 0 to \(1 << 53), not \"\(text)\"")
        }
        return seed
    }

    private static func replay(_ file: String, _ arguments: ParsedArguments) -> String {
        var words = ["chaosrig", "run", file]
        for change in arguments.list("--set") { words += ["--set", SecretMask.inSetting(change)] }
        for host in arguments.list("--allow-remote") { words += ["--allow-remote", host] }
        return words.map(quoted).joined(separator: " ")
    }

    private static func quoted(_ word: String) -> String {
        let plain = word.allSatisfy { $0.isLetter || $0.isNumber || "-_./=%:,".contains($0) }
        return plain && !word.isEmpty ? word : "'" + word.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
    }
}
