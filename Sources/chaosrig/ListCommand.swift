import Orchestrator
import RigModel
import ScenarioFile

enum ListCommand: Command {
    static let name = "list"
    static let summary = "what scenario files and the proxy may name"
    static let options: [OptionSpec] = [.flag("--json"), .flag("--markdown")]
    static let help = """
        Usage: chaosrig list faults|invariants|workloads|toxics [--json|--markdown]

        Prints every kind with its parameters.

        Options:
          --json      an array of {name, summary, lasting, parameters}; of a toxic {name, summary, toxiproxy, both_streams,
                      attributes}
          --markdown  the reference of all faults, as in docs/faults.md

        Example:
          chaosrig list faults
        """

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        let catalogue = Catalogue.scenario
        let topics = ["faults": catalogue.faults, "invariants": catalogue.invariants, "workloads": catalogue.workloads]
        guard arguments.positional.count == 1, let topic = arguments.positional.first else {
            throw UsageError("name one of: faults, invariants, workloads, toxics")
        }
        if arguments.has("--markdown") {
            guard topic == "faults", !arguments.has("--json") else {
                throw UsageError("--markdown is for faults, and not together with --json")
            }
            Output.line(FaultReference.markdown)
            return 0
        }
        if topic == "toxics" {
            Output.line(arguments.has("--json") ? ToxicList.json.prettyText : ToxicList.text)
            return 0
        }
        guard let shapes = topics[topic] else {
            let near = NearestName.of(topic, in: topics.keys + ["toxics"]).map { " Did you mean \"\($0)\"?" } ?? ""
            throw UsageError("\"\(topic)\" is none of faults, invariants, workloads, toxics.\(near)")
        }
        if arguments.has("--json") {
            Output.line(JSONValue.array(shapes.map(json)).prettyText)
        } else {
            for shape in shapes { Output.line(text(shape)) }
        }
        return 0
    }

    private static func text(_ shape: Shape) -> String {
        var lines = ["\(shape.name): \(shape.summary)"]
        let width = shape.parameters.map(\.name.count).max() ?? 0
        for parameter in shape.parameters {
            let rule =
                parameter.isRequired ? "required" : parameter.defaultValue.map { "default \($0.text)" } ?? "optional"
            lines.append("    \(parameter.name.padding(to: width))  \(parameter.summary) (\(rule))")
        }
        return lines.joined(separator: "\n")
    }

    private static func json(_ shape: Shape) -> JSONValue {
        [
            "name": .string(shape.name), "summary": .string(shape.summary), "lasting": .bool(shape.isLasting),
            "parameters": .array(
                shape.parameters.map {
                    [
                        "name": .string($0.name), "summary": .string($0.summary), "required": .bool($0.isRequired),
                        "default": JSONValue($0.defaultValue?.text),
                    ]
                }),
        ]
    }
}
