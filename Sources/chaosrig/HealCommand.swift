import HostSystem

enum HealCommand: Command {
    static let name = "heal"
    static let summary = "undo what dead runs left behind"
    static let synopsis = [""]
    static let details = [
        "Looks for runs whose process is gone (a power cut, kill -9 of the rig and its watchdog) and undoes what they left: "
            + "servers, folders, rules. Runs that are alive are not touched. Exit code 5 when something could not be undone."
    ]
    static let examples = ["chaosrig heal"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.isEmpty else { throw UsageError("heal takes no arguments") }
        let dead = DeadRun.find()
        if dead.isEmpty { Output.line("nothing to heal") }
        var code: Int32 = 0
        for run in dead {
            let leftovers = await run.heal()
            Output.line("\(run.folder): \(leftovers.isEmpty ? "healed" : "not healed")")
            for leftover in leftovers {
                Output.error("  \(leftover)")
                code = 5
            }
        }
        return code
    }
}
