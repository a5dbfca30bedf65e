import Orchestrator
import RigModel
import ScenarioFile

enum ReplayCommand: Command {
    static let name = "replay"
    static let summary = "run again what a stored run did: same scenario, same seed"
    static let synopsis = ["DIR [options]"]
    static let details = [
        "Takes the resolved scenario and the seed from the folder that a run left, and runs them again: the same operations "
            + "and faults are drawn. What the database and the machine's scheduler do is theirs. Says what differs from then: "
            + "the version of chaosrig, the server, the machine.",
        "Passwords are masked in a run folder; give them anew: --set target.postgres.url=… or --set 'pool.adapter=[…]'",
    ]
    static let operands = ValueKind.runFolder
    static let options: [OptionSpec] =
        [.value("--seed", "N", "another seed", default: "that of the run")]
        + RunPlan.options.filter { $0.name != "--keep-going" }
    static let examples = ["chaosrig replay runs/db-restart/latest"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.count == 1, let path = arguments.positional.first else {
            throw UsageError("name one run folder, for example runs/db-restart/latest")
        }
        let stored = StoredRun(path)
        if let command = StoredSoak.replay(stored.folder) {
            Output.error(
                "chaosrig replay: \(path) is a soak: each of its windows has a seed of its own (soak.json). To run one again: "
                    + command)
            return 2
        }
        let origin: StoredRun.Origin
        let scenario: Scenario
        do throws(RunError) {
            origin = try stored.origin()
        } catch {
            Output.error("chaosrig replay: \(error)")
            return error.exitCode
        }
        do throws(ScenarioErrors) {
            scenario = try ScenarioFiles.load(stored.scenarioPath, overrides: arguments.list("--set"))
        } catch {
            Output.error(error.description)
            return 2
        }
        let masked = scenario.maskedSettings
        if !masked.isEmpty {
            throw UsageError(
                "passwords in \(stored.scenarioPath) are masked; give them again: "
                    + masked.map { "--set '\($0)'" }.joined(separator: " "))
        }
        // The link moves on to the new run.
        let folder = stored.resolvedFolder
        let plan = try RunPlan(
            items: [
                .init(
                    file: stored.scenarioPath, scenario: scenario, replay: ["chaosrig", "replay", folder],
                    replaysItself: true)
            ],
            seed: try arguments.seed() ?? origin.seed, arguments: arguments)
        return await plan.run { outcome in
            for line in differences(origin.environment, outcome.report.environment) {
                Output.error("unlike the run that is replayed: \(line)")
            }
        }
    }

    /// What the two runs say differently about where they ran.
    private static func differences(_ then: [JSONValue.Member], _ now: [JSONValue.Member]) -> [String] {
        now.compactMap { member in
            guard let old = then.first(where: { $0.key == member.key })?.value, old != member.value else { return nil }
            func text(_ value: JSONValue) -> String { value.stringValue ?? value.compactText }
            return "\(member.key) \(text(member.value)), then \(text(old))"
        }
    }
}
