import Reporting
import ScenarioFile

enum RunCommand: Command {
    static let name = "run"
    static let summary = "run scenarios and judge them"
    static let synopsis = ["FILE… [options]"]
    static let details = [
        "Runs each scenario: starts its target, puts load on the pool, injects the faults, checks the invariants, heals and "
            + "cleans up, writes a run folder with history.jsonl, report.html, report.json and junit.xml, and files the run in "
            + "results.db beside the run folders, for `chaosrig report --trend`."
    ]
    static let operands = ValueKind.scenario
    static let options: [OptionSpec] =
        [seedOption] + RunPlan.options
    static let seedOption = OptionSpec.value(
        "--seed", "N", "draw everything random from N (0…2⁵³)", default: "drawn, and printed")
    static let notes = ["Ctrl-C stops the run: faults are healed, the server is stopped, the report is still written."]
    static let examples = ["chaosrig run faults/db-restart.yaml --seed 7 --set invariants.recovery.within=3s"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard !arguments.positional.isEmpty else { throw UsageError("name at least one scenario file") }
        if let word = arguments.behindDashes.first, arguments.behindDashes.count < arguments.positional.count {
            throw UsageError(
                "run starts no program of yours behind --, so \"\(word)\" would be a scenario file. To put a pool of another "
                    + "program or language under test name its adapter in the scenario, pool: {adapter: […]}: docs/adapter.md"
            )
        }
        let seed = try arguments.seed() ?? UInt64.random(in: 0..<(1 << 32))
        let junit = try JUnitFile.named(in: arguments)
        // All files are read before anything is started.
        let files = arguments.positional.map { read($0, arguments) }
        let broken = files.compactMap { if case .failure(let failed) = $0 { failed } else { nil } }
        guard broken.isEmpty else {
            for failed in broken { Output.error(failed.reason) }
            let results = files.map { file -> JUnit.Run in
                switch file {
                case .success(let item): .skipped(scenario: item.scenario.name)
                case .failure(let failed): failed.junit
                }
            }
            RunPlan.tell(broken, results, junit, arguments)
            return 2
        }
        let items = files.compactMap { if case .success(let item) = $0 { item } else { nil } }
        return try await RunPlan(items: items, seed: seed, arguments: arguments).run()
    }

    private enum File {
        case success(RunPlan.Item)
        case failure(FailedScenario)
    }

    private static func read(_ file: String, _ arguments: ParsedArguments) -> File {
        do throws(ScenarioErrors) {
            let scenario = try ScenarioFiles.load(file, overrides: arguments.list("--set"))
            return .success(
                RunPlan.Item(file: file, scenario: scenario, replay: ["chaosrig", "run", ShellWord.file(file)]))
        } catch {
            return .failure(FailedScenario(file: file, error))
        }
    }
}
