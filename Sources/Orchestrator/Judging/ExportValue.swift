import RigModel

/// A value of an exported history, in the notation of both formats.
enum ExportValue: Sendable {
    case null
    case number(Int64)
    /// A keyword in EDN, a text in JSON.
    case word(String)
    case list([ExportValue])
    /// Keys are keywords in EDN; those that are numbers are numbers there.
    case map([(String, ExportValue)])

    func text(_ format: HistoryExport.Format) -> String {
        switch (self, format) {
        case (.null, .edn): "nil"
        case (.null, .json): "null"
        case (.number(let number), _): "\(number)"
        case (.word(let word), .edn): ":\(word)"
        case (.word(let word), .json): "\"\(word)\""
        case (.list(let items), .edn): "[" + items.map { $0.text(format) }.joined(separator: " ") + "]"
        case (.list(let items), .json): "[" + items.map { $0.text(format) }.joined(separator: ",") + "]"
        case (.map(let members), .edn):
            "{" + members.map { "\(Int64($0.0) == nil ? ":" : "")\($0.0) \($0.1.text(format))" }.joined(separator: ", ")
                + "}"
        case (.map(let members), .json):
            "{" + members.map { "\"\($0.0)\":\($0.1.text(format))" }.joined(separator: ",") + "}"
        }
    }
}
