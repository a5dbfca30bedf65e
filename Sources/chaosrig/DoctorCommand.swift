import Orchestrator
import RigModel
import ScenarioFile

enum DoctorCommand: Command {
    static let name = "doctor"
    static let summary = "what this machine can do, what is missing, how to get it"
    static let synopsis = ["[FILE…] [options]"]
    static let details = [
        "Tries, in throw-away namespaces, what faults need of this machine: what works, what is missing and why, and the "
            + "command to get it; then which faults can be injected here, and by what. With scenario files only what they "
            + "need. Changes nothing. Exit code 3 when something that a named scenario needs is missing, or the database "
            + "server is."
    ]
    static let operands = ValueKind.scenario
    static let options: [OptionSpec] = [
        .flag(
            "--json",
            "{server, capabilities: [{name, available, detail, remedy}], faults: [{name, works, by, missing}]}"),
        .list("--set", "PATH=VALUE", "change a value of the scenarios first"),
    ]
    static let examples = ["chaosrig doctor faults/blackhole.yaml"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        var scenarios: [Scenario] = []
        for file in arguments.positional {
            do throws(ScenarioErrors) {
                scenarios.append(try ScenarioFiles.load(file, overrides: arguments.list("--set")))
            } catch {
                Output.error(error.description)
                return 2
            }
        }
        let examination = await Examination.make(of: scenarios)
        let report = DoctorReport(examination: examination)
        if arguments.has("--json") {
            Output.line(report.json.prettyText)
        } else {
            for line in report.lines { Output.line(line) }
        }
        return examination.isComplete ? 0 : 3
    }
}
