import Orchestrator
import RigModel
import ScenarioFile

enum SchemaCommand: Command {
    static let name = "schema"
    static let summary = "print the JSON Schema of scenario files, for editors"
    static let synopsis = [""]
    static let details = [
        "Draft 7. An editor with a YAML plug-in then completes keys, explains them, and marks what is wrong while it is "
            + "written. What goes together only chaosrig validate knows.",
        "Write the schema into a file, and name it in the first line of a scenario: "
            + "# yaml-language-server: $schema=chaosrig.schema.json",
    ]
    static let examples = ["chaosrig schema > chaosrig.schema.json"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        guard arguments.positional.isEmpty else { throw UsageError("schema takes no arguments") }
        Output.line(ScenarioSchema(Catalogue.scenario).json.prettyText)
        return 0
    }
}
