import Exposition
import Orchestrator
import RigModel

/// Every metric that `--metrics` serves, for people and for programs.
enum MetricReference {
    static var text: String {
        RigMetrics.all.map { "\($0.name)\(labels($0)): \($0.help) (\($0.kind.rawValue))" }.joined(separator: "\n")
    }

    static var json: JSONValue {
        .array(
            RigMetrics.all.map {
                [
                    "name": .string($0.name), "kind": .string($0.kind.rawValue), "help": .string($0.help),
                    "labels": .array($0.labels.map(JSONValue.string)),
                ]
            })
    }

    /// As it stands in docs/metrics.md.
    static var markdown: String {
        RigMetrics.groups.map { group in
            (["## \(group.title)", "", "| metric | kind | labels | |", "|---|---|---|---|"]
                + group.metrics.map { metric in
                    let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
                    return "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |"
                } + [""]).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    private static func labels(_ metric: MetricDefinition) -> String {
        metric.labels.isEmpty ? "" : "{\(metric.labels.joined(separator: ", "))}"
    }
}
