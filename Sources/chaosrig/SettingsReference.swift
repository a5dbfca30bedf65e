import RigModel
import ScenarioFile

/// The settings of a scenario file, section by section: what its reader goes by.
enum SettingsReference {
    /// Every section, those within others right behind them.
    private static var sections: [SectionShape] { [SectionShape.scenario].flatMap(withInner) + SectionShape.schedules }

    private static func withInner(_ shape: SectionShape) -> [SectionShape] {
        [shape] + shape.keys.compactMap(\.section).flatMap(withInner)
    }

    static var text: String {
        sections.map { shape in
            let width = shape.keys.map(\.name.count).max() ?? 0
            let keys = shape.keys.map {
                "    \($0.name.padding(to: width))  \($0.summary)\(rule($0).map { " (\($0))" } ?? "")"
            }
            return (["\(shape.name): \(shape.summary)"] + keys).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    /// As it stands in docs/scenario.md.
    static var markdown: String {
        sections.map { shape in
            let rows = shape.keys.map { key in
                "| `\(key.name)` | \(form(key.form)) | \(key.isRequired ? "required" : key.standard.map { "`\($0.text)`" } ?? "") | "
                    + "\(escaped(key.summary)) |"
            }
            return
                ([
                    "## \(shape.name)", "", sentence(shape.summary), "", "| key | written as | default | |",
                    "|---|---|---|---|",
                ]
                + rows + [""]).joined(separator: "\n")
        }.joined(separator: "\n")
    }

    static var json: JSONValue {
        .array(
            sections.map { shape in
                [
                    "name": .string(shape.name), "summary": .string(shape.summary),
                    "keys": .array(
                        shape.keys.map { key in
                            [
                                "name": .string(key.name), "summary": .string(key.summary),
                                "required": .bool(key.isRequired), "default": JSONValue(key.standard?.text),
                            ]
                        }),
                ]
            })
    }

    private static func rule(_ key: SectionKey) -> String? {
        key.isRequired ? "required" : key.standard.map { "default \($0.text)" }
    }

    private static func form(_ form: KeyForm) -> String {
        switch form {
        case .value(let types): types.map(\.example).joined(separator: ", ")
        case .section(let shape): "a section: \(shape.name)"
        case .valueOrSection(let types, let shape):
            "\(types.map(\.example).joined(separator: ", ")), or a section: \(shape.name)"
        case .number: "a number"
        case .words: "a list: program and arguments"
        case .mix: "`{KIND: WEIGHT, …}`"
        case .faults: "a list of faults"
        case .invariants: "`{NAME: {…}, …}`"
        }
    }

    private static func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() + "." }
}
