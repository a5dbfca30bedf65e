import Orchestrator
import ScenarioFile

enum ValidateCommand: Command {
    static let name = "validate"
    static let summary = "parse and check scenario files, start nothing"
    static let options: [OptionSpec] = [
        .list("--set", "PATH=VALUE"), .flag("--resolved"), .list("--allow-remote", "HOST"),
    ]
    static let help = """
        Usage: chaosrig validate FILE… [options]

        Reads each file as `run` would, and says what is wrong, with file, line and column. Starts nothing.

        Options:
          --set PATH=VALUE      change a value of the scenario first
          --resolved            print the scenario with every default filled in; passwords are masked
          --allow-remote HOST   allow a target that is not on this machine

        Example:
          chaosrig validate faults/*.yaml
        """

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard !arguments.positional.isEmpty else { throw UsageError("name at least one scenario file") }
        var worst: Int32 = 0
        for file in arguments.positional {
            do throws(ScenarioErrors) {
                let scenario = try ScenarioFiles.load(file, overrides: arguments.list("--set"))
                let code = await check(scenario, file: file, arguments)
                if worst == 0 { worst = code }
                guard code == 0 else { continue }
                Output.line(arguments.has("--resolved") ? ResolvedScenario.yaml(scenario) : "\(file): ok")
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
