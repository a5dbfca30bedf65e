import ConnectionPool
import RigModel
import Threading

/// One attempt at a use as a line of the adapter protocol, and back. Pure.
///
/// Beside the members of design.md §10 there is, for our own pool: `role` of each step (what it means for the pool's
/// transactions), `leak`, `read_only`, and
/// `"rows": false` (the rows need not come back).
struct AdapterUse {
    var steps: [SQLStatement]
    var isTransaction: Bool
    var isReadOnly: Bool
    var leaks: Bool
    var wantsRows: Bool

    init(steps: [SQLStatement], isTransaction: Bool, isReadOnly: Bool, leaks: Bool, wantsRows: Bool) {
        self.steps = steps
        self.isTransaction = isTransaction
        self.isReadOnly = isReadOnly
        self.leaks = leaks
        self.wantsRows = wantsRows
    }

    /// - Parameters:
    ///   - timeout: of the wait for a connection.
    ///   - deadline: of the whole.
    func line(id: Int, timeout: Duration, deadline: Duration) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("id", JSONValue(id)), .init("op", "use"), .init("steps", .array(steps.map(Self.step))),
            .init("tx", .bool(isTransaction)), .init("timeout_ms", JSONValue(Int(timeout.milliseconds))),
            .init("deadline_ms", JSONValue(Int(deadline.milliseconds))), .init("hold_ms", 0),
        ]
        if isReadOnly { members.append(.init("read_only", true)) }
        if !wantsRows { members.append(.init("rows", false)) }
        if leaks { members.append(.init("leak", true)) }
        return .object(members)
    }

    private static func step(_ statement: SQLStatement) -> JSONValue {
        [
            "sql": .string(statement.text), "params": .array(statement.parameters.map { $0.json }),
            "role": .string(statement.role.word),
        ]
    }

    /// - Returns: `nil` where a step has no SQL or a parameter is of no sort that values may have.
    init?(_ line: JSONValue) {
        steps = []
        for step in line["steps"]?.arrayValue ?? [] {
            guard let sql = step["sql"]?.stringValue else { return nil }
            var parameters: [SQLValue] = []
            for parameter in step["params"]?.arrayValue ?? [] {
                guard let value = SQLValue(json: parameter) else { return nil }
                parameters.append(value)
            }
            let role = step["role"]?.stringValue.flatMap(SQLStatement.Role.init(word:)) ?? .write
            steps.append(SQLStatement(sql, parameters, role: role))
        }
        isTransaction = line["tx"]?.boolValue ?? false
        isReadOnly = line["read_only"]?.boolValue ?? false
        wantsRows = line["rows"]?.boolValue ?? true
        leaks = line["leak"]?.boolValue ?? false
    }
}

extension SQLStatement.Role {
    fileprivate static let words: [(SQLStatement.Role, String)] = [
        (.begin, "begin"), (.commit, "commit"), (.rollback, "rollback"), (.read, "read"), (.write, "write"),
    ]

    var word: String { Self.words.first { $0.0 == self }?.1 ?? "write" }

    init?(word: String) {
        guard let role = Self.words.first(where: { $0.1 == word })?.0 else { return nil }
        self = role
    }
}

extension SQLValue {
    var json: JSONValue {
        switch self {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .double(let number): .double(number)
        case .text(let text): .string(text)
        }
    }

    /// - Returns: `nil` for a list or an object.
    init?(json: JSONValue) {
        switch json {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .string(let text): self = .text(text)
        case .array, .object: return nil
        }
    }
}
