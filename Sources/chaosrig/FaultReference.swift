import Orchestrator
import RigModel
import ScenarioFile

/// The reference of all faults in Markdown, as it stands in docs/faults.md.
enum FaultReference {
    static var markdown: String {
        var lines: [String] = []
        var family = ""
        for entry in Catalogue.faults {
            if entry.family != family {
                family = entry.family
                lines += ["## \(family)", ""]
            }
            lines += text(of: entry)
        }
        return lines.joined(separator: "\n")
    }

    private static func text(of entry: Catalogue.FaultEntry) -> [String] {
        let shape = entry.shape
        var lines = ["### `\(shape.name)`", "", "\(sentence(shape.summary)) \(ending(shape)) \(backing(entry))", ""]
        if !shape.parameters.isEmpty {
            lines += ["| parameter | default | |", "|---|---|---|"]
            lines += shape.parameters.map { parameter in
                let value = parameter.isRequired ? "required" : parameter.defaultValue.map { "`\($0.text)`" } ?? ""
                return "| `\(parameter.name)` | \(value) | \(parameter.summary.replacing("|", with: "\\\\|")) |"
            }
            lines.append("")
        }
        return lines
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }

    private static func ending(_ shape: Shape) -> String {
        shape.isLasting ? "Lasts until `for:` has passed, or to the end of the faults phase." : "Takes no `for:`."
    }

    private static func backing(_ entry: Catalogue.FaultEntry) -> String {
        var text = entry.needs.isEmpty ? "" : "Needs of the target: \(entry.needs.joined(separator: ", "))."
        let words = entry.alternatives.map { $0.isEmpty ? "nothing" : $0.joined(separator: " and ") }
        if words != ["nothing"] { text += " Needs of the machine: \(words.joined(separator: ", else "))." }
        return text
    }
}
