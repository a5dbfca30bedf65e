import Orchestrator
import ScenarioFile

enum ValidateCommand: Command {
    static let name = "validate"
    static let summary = "parse and check scenario files, start nothing"
    static let synopsis = ["FILE… [options]"]
    static let details = [
        "Reads each file as run would, and says what is wrong, with file, line and column. Starts no database and no load. "
            + "What the faults need of this machine is tried in throw-away namespaces, as doctor does."
    ]
    static let operands = ValueKind.scenario
    static let options: [OptionSpec] = [
        .list("--set", "PATH=VALUE", "change a value of the scenario first"),
        .flag("--resolved", "print the scenario with every default filled in; passwords are masked"),
        .list("--allow-remote", "HOST", "allow a target that is not on this machine"),
    ]
    static let notes = [
        "Exit code: 0 as run would take them; 2 a mistake in a file; 3 no mistake, but this machine or the target lacks what a "
            + "scenario needs, for example a container engine. Of several files: 2, else 3."
    ]
    static let examples = ["chaosrig validate faults/db-restart.yaml faults/latency.yaml"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard !arguments.positional.isEmpty else { throw UsageError("name at least one scenario file") }
        var worst: Int32 = 0
        var printed = 0
        for file in arguments.positional {
            do throws(ScenarioErrors) {
                let scenario = try ScenarioFiles.load(file, overrides: arguments.list("--set"))
                let code = await check(scenario, file: file, arguments)
                if worst == 0 || code == 2 { worst = code }
                guard code == 0 else { continue }
                guard arguments.has("--resolved") else {
                    Output.line("\(file): ok")
                    continue
                }
                // Documents of one stream of YAML.
                if printed > 0 { Output.line("---") }
                Output.line(ResolvedScenario.yaml(scenario))
                printed += 1
            } catch {
                Output.error(error.description)
                worst = 2
            }
        }
        return worst
    }

    private static func check(_ scenario: Scenario, file: String, _ arguments: ParsedArguments) async -> Int32 {
        do throws(RunError) {
            try await ScenarioRun.check(scenario, allowedRemoteHosts: Set(arguments.list("--allow-remote")))
            return 0
        } catch {
            Output.error("\(file): \(error)")
            return error.exitCode
        }
    }
}
