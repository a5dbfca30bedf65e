import Orchestrator
import RigModel
import ScenarioFile

enum ListCommand: Command {
    static let name = "list"
    static let summary = "what scenario files and the proxy may name"
    static let synopsis = ["faults|invariants|workloads|settings|toxics|metrics [--json|--markdown]"]
    static let details = ["Prints every kind with its parameters."]
    static let operands = ValueKind.words([
        Word("faults", "what can be broken"), Word("invariants", "what can be required"),
        Word("workloads", "what clients can do"), Word("settings", "every other key of a scenario file"),
        Word("toxics", "what the proxy can do to connections"),
        Word("metrics", "every metric that --metrics serves, with its labels"),
    ])
    static let options: [OptionSpec] = [
        .flag(
            "--json",
            "an array of {name, summary, lasting, parameters}; of a section of settings {name, summary, keys}; of a toxic "
                + "{name, summary, toxiproxy, both_streams, attributes}; of a metric {name, kind, help, labels}"
        ),
        .flag(
            "--markdown",
            "the reference of all faults, invariants, settings or metrics, as in docs/faults.md, invariants.md, scenario.md and "
                + "metrics.md"),
    ]
    static let examples = ["chaosrig list faults"]

    static func run(_ arguments: ParsedArguments) async throws(UsageError) -> Int32 {
        let catalogue = Catalogue.scenario
        let topics = ["faults": catalogue.faults, "invariants": catalogue.invariants, "workloads": catalogue.workloads]
        guard arguments.positional.count == 1, let topic = arguments.positional.first else {
            throw UsageError("name one of: \(operands.words.map(\.name).joined(separator: ", "))")
        }
        if arguments.has("--markdown") {
            let references = [
                "faults": FaultReference.markdown, "invariants": InvariantReference.markdown,
                "metrics": MetricReference.markdown, "settings": SettingsReference.markdown,
            ]
            guard let reference = references[topic], !arguments.has("--json") else {
                throw UsageError(
                    "--markdown is for faults, invariants, metrics and settings, and not together with --json")
            }
            Output.line(reference)
            return 0
        }
        if topic == "toxics" {
            Output.line(arguments.has("--json") ? ToxicList.json.prettyText : ToxicList.text)
            return 0
        }
        if topic == "metrics" {
            Output.line(arguments.has("--json") ? MetricReference.json.prettyText : MetricReference.text)
            return 0
        }
        if topic == "settings" {
            Output.line(arguments.has("--json") ? SettingsReference.json.prettyText : SettingsReference.text)
            return 0
        }
        guard let shapes = topics[topic] else {
            let names = operands.words.map(\.name)
            let near = NearestName.of(topic, in: names).map { " Did you mean \"\($0)\"?" } ?? ""
            throw UsageError("\"\(topic)\" is none of \(names.joined(separator: ", ")).\(near)")
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
