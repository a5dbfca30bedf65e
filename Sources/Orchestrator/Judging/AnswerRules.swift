import RigModel

/// What an operation that ended in `ok` says again of its begin (docs/history.md). Pure.
enum AnswerRules {
    /// They carry the same at `ok` as at `invoke`.
    private static let same: Set = [
        "append", "append-transaction", "transfer", "pausing-transfer", "listen", "probe", "leak", "inspect",
    ]

    /// - Returns: the first member that differs, as words; `nil`: none does.
    static func problem(_ function: String, began: JSONValue, ended: JSONValue) -> String? {
        func differs(_ member: String, _ later: String? = nil) -> String? {
            let (first, last) = (began[member] ?? .null, ended[later ?? member] ?? .null)
            return first == last
                ? nil
                : "`\(function)` began with \(member) \(first.compactText), and ended with \(later ?? member) \(last.compactText)"
        }
        switch function {
        case _ where same.contains(function):
            return began == ended
                ? nil : "`\(function)` began with \(began.compactText), and ended with \(ended.compactText)"
        case "read", "read-row", "slow-read": return differs("account")
        case "register": return differs("key") ?? (began["write"] == nil ? nil : differs("write", "value"))
        default: return nil
        }
    }
}
