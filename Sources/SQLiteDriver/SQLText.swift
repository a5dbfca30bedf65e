/// What can be said about SQL without SQLite.
enum SQLText {
    /// Whether the statement is a PRAGMA, after any spaces and comments.
    static func isPragma(_ text: String) -> Bool {
        var rest = text.utf8[...]
        while let first = rest.first {
            switch first {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0C, UInt8(ascii: ";"):
                rest = rest.dropFirst()
            case UInt8(ascii: "-"):
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            case UInt8(ascii: "/"):
                rest = rest.dropFirst(2)
                while !rest.isEmpty, !rest.starts(with: "*/".utf8) { rest = rest.dropFirst() }
                rest = rest.dropFirst(2)
            default:
                return rest.prefix(6).elementsEqual("pragma".utf8) { $0 | 0x20 == $1 }
            }
        }
        return false
    }

    /// A name as SQL text.
    static func quoted(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
