import Orchestrator
import RigModel
import ScenarioFile

/// The reference of all invariants in Markdown, as it stands in docs/invariants.md.
enum InvariantReference {
    static var markdown: String { Catalogue.invariants.flatMap(text).joined(separator: "\n") }

    private static func text(of entry: Catalogue.InvariantEntry) -> [String] {
        let shape = entry.shape
        var lines = ["## `\(shape.name)`", ""]
        if entry.isDefault { lines += ["Judged where a scenario names no invariants.", ""] }
        lines += ["**Claims.** \(entry.claims)", "", "**Needs to have seen.** \(entry.needs)", ""]
        lines += ["**Cannot see.** \(entry.cannotSee)", ""]
        if !shape.parameters.isEmpty {
            lines += ["| parameter | written as | default | |", "|---|---|---|---|"]
            lines += shape.parameters.map { parameter in
                let value = parameter.isRequired ? "required" : parameter.defaultValue.map { "`\($0.text)`" } ?? ""
                let types = parameter.types.map(\.example).joined(separator: ", ")
                return
                    "| `\(parameter.name)` | \(types) | \(value) | \(parameter.summary.replacing("|", with: "\\|")) |"
            }
            lines.append("")
        }
        if shape.takesThresholds {
            lines += ["Its parameters are measures with their bounds: see `thresholds.md`.", ""]
        }
        return lines
    }
}
