/// A YAML value with its place in the file. Aliases and merges are resolved; scalars are still text.
struct YAMLNode: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        /// `isPlain`: without quotes, so `null` and `~` mean nothing rather than text.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        case mapping([Entry])
    }

    /// A key and its value.
    struct Entry: Sendable, Equatable {
        var key: String
        var keyPosition: SourcePosition
        var value: YAMLNode
    }

    var content: Content
    var position: SourcePosition

    /// Absent for the reader: `key:` with nothing behind it, `null` or `~`.
    var isNull: Bool {
        guard case .scalar(let text, let isPlain) = content, isPlain else { return false }
        return text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
    }

    /// What it is, in words for an error.
    var kindInWords: String {
        switch content {
        case .scalar(let text, _): isNull ? "nothing" : "\"\(text)\""
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}
