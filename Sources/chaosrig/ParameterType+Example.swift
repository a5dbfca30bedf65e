import RigModel

extension ParameterType {
    /// How a value of the type is written, in Markdown.
    var example: String {
        switch self {
        case .count: "a number"
        case .duration: "a time: `500ms`, `2s`, `5m`"
        case .share: "a share: `90%`"
        case .dataRate: "bytes a second: `50KB/s`"
        case .flag: "`true` or `false`"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .rate: "a rate: `200/s`"
        case .text: "text"
        }
    }
}
