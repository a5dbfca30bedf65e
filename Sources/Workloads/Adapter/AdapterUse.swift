import ConnectionPool
import RigModel
import Threading

/// One attempt at a use as a line of the adapter protocol, and back. Pure.
///
/// Beside the members of docs/adapter.md there is, for our own pool: `role` of each step (what it means for the pool's
/// transactions), `leak`, `read_only`, and
/// `"rows": false` (the rows need not come back).
struct AdapterUse {
    var steps: [SQLStatement]
    var isTransaction: Bool
    var isReadOnly: Bool
    var leaks: Bool
    var wantsRows: Bool
    /// Of the wait for a connection, and of the whole; `nil`: the pool's own.
    var timeout: Duration?
    var deadline: Duration?
    /// With the connection held, after the last step.
    var hold = Duration.zero

    init(
        steps: [SQLStatement], isTransaction: Bool, isReadOnly: Bool, leaks: Bool, wantsRows: Bool, timeout: Duration?,
        deadline: Duration?
    ) {
        self.timeout = timeout
        self.deadline = deadline
        self.steps = steps
        self.isTransaction = isTransaction
        self.isReadOnly = isReadOnly
        self.leaks = leaks
        self.wantsRows = wantsRows
    }

    func line(id: Int) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("id", JSONValue(id)), .init("op", "use"), .init("steps", .array(steps.map(Self.step))),
            .init("tx", .bool(isTransaction)), .init("hold_ms", JSONValue(Int(hold.milliseconds))),
        ]
        if let timeout { members.append(.init("timeout_ms", JSONValue(Int(timeout.milliseconds)))) }
        if let deadline { members.append(.init("deadline_ms", JSONValue(Int(deadline.milliseconds)))) }
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
        func duration(_ name: String) -> Duration? {
            line[name]?.doubleValue.map { .nanoseconds(Int64(min(max($0, 0), 1e12) * 1e6)) }
        }
        timeout = duration("timeout_ms")
        deadline = duration("deadline_ms")
        hold = duration("hold_ms") ?? .zero
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
