import FaultProxy
import Foundation
import HostSystem
import Orchestrator
import Reporting
import RigModel
import ScenarioFile

/// Scenarios to run one after the other, and how they are shown: what `run` and `replay` do.
struct RunPlan {
    struct Item {
        /// As the user named it.
        let file: String
        let scenario: Scenario
        /// The words that run it again, without the seed.
        let replay: [String]
        /// Its own folder runs it again, whatever it came from.
        var replaysItself = false
    }

    let items: [Item]
    let seed: UInt64
    let arguments: ParsedArguments

    /// What both commands take.
    static let options: [OptionSpec] = [
        .list(
            "--set", "PATH=VALUE",
            "change a value of the scenario: --set pool.max-open=5 --set faults.0.restart.mode=crash"),
        .value("--out", "DIR", "put run folders into DIR", default: "runs", .folder),
        .flag(
            "--json",
            "print report.json (an array for several files) instead of the summary; {scenario, error, exit_code} in its place where "
                + "a scenario could not run"),
        .flag("--quiet", "print the verdict line only"),
        .value("--junit", "FILE", "write the results of all scenarios into one JUnit file, too", .file),
        .value(
            "--confirm", "N",
            "run again, up to N times, what violates measured bounds only (times, rates); a violation that never comes again makes "
                + "the run inconclusive, not red", default: "0"),
        .flag(
            "--keep-going",
            "go on with the next file after one that was not valid; the exit code is the worst: 5, 70, 1, an interrupt, 2, 3, 4"
        ),
        .list("--allow-remote", "HOST", "allow a target that is not on this machine"), MetricsOption.spec,
    ]

    private var isJSON: Bool { arguments.has("--json") }
    /// How often a violation that was only measured is looked for again.
    private let confirmations: Int
    private let junit: JUnitFile?

    init(items: [Item], seed: UInt64, arguments: ParsedArguments) throws(UsageError) {
        self.items = items
        self.seed = seed
        self.arguments = arguments
        confirmations = try arguments.number("--confirm", 0...100) ?? 0
        junit = try JUnitFile.named(in: arguments)
    }

    /// - Parameter onEnd: is told each outcome.
    /// - Returns: the exit code, as in README.md.
    func run(onEnd: (RunOutcome) -> Void = { _ in }) async -> Int32 {
        let interrupt = Interrupt()
        let progress = Self.progress(arguments)
        let endpoint: MetricsEndpoint?
        do throws(RunError) {
            endpoint = try await Self.enterStage(items.map(\.scenario), files: items.map(\.file), arguments, progress)
        } catch {
            Output.error("\(error)")
            let failed = items.map { item in
                FailedScenario(
                    file: item.file, scenario: item.scenario.name, reason: "\(error)", exitCode: error.exitCode)
            }
            Self.tell(failed, failed.map(\.junit), junit, arguments)
            return error.exitCode
        }
        defer { endpoint?.stop() }
        let signals = SignalWatch(interrupt, progress: progress)
        defer { signals.stop() }

        let service = CIService(environment: currentEnvironment())
        var results: [JUnit.Run] = []
        var reports: [JSONValue] = []
        var worst: Int32 = 0
        for item in items where interrupt.raised == nil {
            var options = RunOptions(
                seed: seed, out: arguments.value("--out") ?? "runs",
                allowedRemoteHosts: Set(arguments.list("--allow-remote")),
                replayCommand: Self.replay(item.replay, arguments), interrupt: interrupt, progress: progress)
            options.metrics = endpoint?.metrics
            if item.replaysItself {
                let hosts = arguments.list("--allow-remote")
                options.replayOfFolder = { Self.words(["chaosrig", "replay", ShellWord.file($0)], hosts: hosts) }
            }
            let code: Int32
            do throws(RunError) {
                let outcome = try await confirmed(item, options)
                results.append(.judged(outcome.report))
                reports.append(ReportJSON.encode(outcome.report))
                endpoint?.metrics.note(outcome.report.invariants, scenario: item.scenario.name)
                if !isJSON { show(outcome) }
                service.tell(outcome.report, file: item.file)
                for problem in outcome.report.unwritten { Output.error("\(item.file): \(problem)") }
                if let problem = await ResultsFiling.file(folder: outcome.folder, out: options.out) {
                    Output.error("\(item.file): \(problem)")
                }
                onEnd(outcome)
                code = outcome.exitCode
            } catch {
                Output.error("\(item.file): \(error)")
                code = interrupt.raised.map { 128 + $0 } ?? error.exitCode
                let failed = FailedScenario(
                    file: item.file, scenario: item.scenario.name, reason: "\(error)", exitCode: code)
                results.append(failed.junit)
                service.tell(failed)
                reports.append(failed.json)
            }
            worst = ExitCode.worse(worst, code)
            if code != 0, !arguments.has("--keep-going") { break }
        }
        let unrun = items.dropFirst(results.count)
        if !unrun.isEmpty {
            let hint = interrupt.raised == nil ? " (--keep-going goes on)" : ""
            Output.error("\(unrun.count) scenario\(unrun.count == 1 ? "" : "s") not run\(hint)")
            results += unrun.map { .skipped(scenario: $0.scenario.name) }
        }
        if isJSON { Self.printReports(reports, of: items.count) }
        return junit?.write(results) != false ? worst : (worst == 0 ? 2 : worst)
    }

    /// Runs a scenario; again, where that is asked for and can tell a violation from an odd moment of the machine.
    private func confirmed(_ item: Item, _ options: RunOptions) async throws(RunError) -> RunOutcome {
        let first = try await ScenarioRun(item.scenario, options: options).run()
        guard confirmations > 0, Confirmation.isWanted(of: first.report) else { return first }
        for number in 1...confirmations {
            guard options.interrupt.raised == nil else { return first }
            options.progress.say("violated, by measured bounds only: run \(number) of \(confirmations) to confirm it")
            let again = try await ScenarioRun(item.scenario, options: options).run()
            if again.report.verdict == .invalid { return again }
        }
        var outcome = first
        outcome.report = Confirmation.unconfirmed(first.report, after: confirmations)
        return outcome
    }

    /// How a run is shown while it goes: as the options and the terminal want it.
    static func progress(_ arguments: ParsedArguments) -> any ProgressDisplay {
        let screen = Terminal(descriptor: STDERR_FILENO)
        if arguments.has("--json") || arguments.has("--quiet") { return SilentProgress() }
        if screen.canRedraw { return TerminalProgress(descriptor: STDERR_FILENO) }
        return PlainProgress(terminal: screen.isTerminal ? STDERR_FILENO : nil)
    }

    /// - Parameter count: of the files that were named.
    static func printReports(_ reports: [JSONValue], of count: Int) {
        if count == 1, let only = reports.first {
            Output.line(only.prettyText)
        } else if count > 1 {
            Output.line(JSONValue.array(reports).prettyText)
        }
    }

    /// Nothing could be started: whoever waits for results gets the reason in their place.
    ///
    /// - Parameter results: of every file that was named.
    static func tell(
        _ failed: [FailedScenario], _ results: [JUnit.Run], _ junit: JUnitFile?, _ arguments: ParsedArguments
    ) {
        let service = CIService(environment: currentEnvironment())
        failed.forEach(service.tell)
        _ = junit?.write(results)
        if arguments.has("--json") { printReports(failed.map(\.json), of: results.count) }
    }

    /// Where faults touch packets or mounts the rig goes on in a network and a mount table of its own: begins anew there, as the
    /// same process.
    ///
    /// - Returns: what serves the metrics, where they are asked for: on the machine's network.
    static func enterStage(
        _ scenarios: [Scenario], files: [String], _ arguments: ParsedArguments, _ progress: any ProgressDisplay
    ) async throws(RunError) -> MetricsEndpoint? {
        let socket = try MetricsOption.open(arguments)
        if PrivateStage.state == .outside, ScenarioRun.wantPrivateStage(scenarios) {
            try await leaveMachine(files, socket, progress)
        }
        return try socket.map(MetricsOption.serve)
    }

    private static func leaveMachine(
        _ files: [String], _ metrics: ServiceSocket?, _ progress: any ProgressDisplay
    ) async throws(RunError) {
        if let pipe = files.first(where: { !SmallFile.isPlain($0) }) {
            PrivateStage.giveUp("\(pipe) is not a file and can be read only once")
        } else if let reason = await ScenarioRun.refusalOfStage() {
            PrivateStage.giveUp(reason)
        } else {
            try await ScenarioRun.healDeadRuns(progress)
            if let metrics { MetricsOption.handOver(metrics) }
            PrivateStage.reenter(arguments: CommandLine.arguments)
            if let metrics { MetricsOption.keep(metrics) }
        }
        if case .unavailable(let reason) = PrivateStage.state { progress.say("no private stage: \(reason)") }
    }

    private func show(_ outcome: RunOutcome) {
        let screen = Terminal(descriptor: STDOUT_FILENO)
        if arguments.has("--quiet") {
            let report = outcome.report
            let interruption = report.interruption.map { ", \($0)" } ?? ""
            Output.line(
                "\(report.scenario): \(report.verdict.rawValue)\(interruption) (\(outcome.folder)/report.json)")
        } else {
            Output.line(
                ConsoleSummary.render(
                    outcome.report, reportPath: "\(outcome.folder)/report.html", width: min(screen.width, 120),
                    color: screen.hasColor))
        }
    }

    /// A command with the options that change what is run; secrets are masked.
    static func replay(_ command: [String], _ arguments: ParsedArguments) -> String {
        var command = command
        for change in arguments.list("--set") { command += ["--set", SecretMask.inSetting(change)] }
        return words(command, hosts: arguments.list("--allow-remote"))
    }

    private static func words(_ command: [String], hosts: [String]) -> String {
        (command + hosts.flatMap { ["--allow-remote", $0] }).map(ShellWord.quoted).joined(separator: " ")
    }
}
