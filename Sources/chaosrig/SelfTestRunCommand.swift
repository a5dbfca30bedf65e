import Orchestrator
import ScenarioFile
import SelfTest

/// Not for people: one run of the self-test, with or without a defect.
enum SelfTestRunCommand {
    static let name = SelfTestProgram.command
    private static let options: [OptionSpec] = [
        .value("--defect", "NAME", ""), .list("--set", "PATH=VALUE", ""), .value("--out", "DIR", ""),
        .value("--seed", "N", ""),
    ]

    /// - Returns: the exit code, as in README.md.
    static func run(_ words: [String]) async -> Int32 {
        do throws(UsageError) {
            return try await run(ParsedArguments(words, options))
        } catch {
            Output.error("chaosrig \(name): \(error.message)")
            return 2
        }
    }

    private static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard let file = arguments.positional.first, let out = arguments.value("--out"),
            let seed = arguments.value("--seed").flatMap(UInt64.init)
        else { throw UsageError("a scenario file, --out and --seed are needed") }
        let defect = arguments.value("--defect").map(DefectCatalogue.find)
        if case .some(.none) = defect { throw UsageError("there is no such defect") }
        let scenario: Scenario
        do throws(ScenarioErrors) {
            scenario = try ScenarioFiles.load(file, overrides: arguments.list("--set"))
        } catch {
            throw UsageError(error.description)
        }
        let interrupt = Interrupt()
        let signals = SignalWatch(interrupt, progress: SilentProgress())
        defer { signals.stop() }
        var options = RunOptions(
            seed: seed, out: out, allowedRemoteHosts: [], replayCommand: "chaosrig selftest", interrupt: interrupt,
            progress: SilentProgress())
        if let defect = defect ?? nil { options.decoration = defect.plant() }
        do throws(RunError) {
            return try await ScenarioRun(scenario, options: options).run().exitCode
        } catch {
            Output.error("\(error)")
            return interrupt.raised.map { 128 + $0 } ?? error.exitCode
        }
    }
}
