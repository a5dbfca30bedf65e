/// An error that a client gets instead of an answer. A value.
package struct InjectedError: Sendable, Equatable {
    package enum Severity: String, Sendable, CaseIterable {
        /// The statement fails, and with it its transaction; the session lives on.
        case error = "ERROR"
        /// The session ends.
        case fatal = "FATAL"
    }

    /// Five capital letters and digits.
    package var sqlState: String
    package var message: String
    package var severity: Severity

    /// - Parameters:
    ///   - message: `nil` for PostgreSQL's own words.
    ///   - severity: `nil` for what PostgreSQL would use.
    package init(sqlState: String, message: String? = nil, severity: Severity? = nil) throws(CutRuleError) {
        let isCode =
            sqlState.utf8.count == 5
            && sqlState.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0)
            }
        guard isCode else {
            throw CutRuleError("sqlstate", "\"\(sqlState)\" is not five digits and capital letters, like 40001")
        }
        guard !["00", "01", "02"].contains(String(sqlState.prefix(2))) else {
            throw CutRuleError("sqlstate", "\(sqlState) is no error: its class is success, warning or no data")
        }
        let text = message ?? Self.words[sqlState] ?? "injected by a cut point of chaosrig"
        // Which encoding client and server have agreed on is not known here, and it decides what a byte means in a string.
        guard !text.isEmpty, text.utf8.count <= 1024, text.utf8.allSatisfy({ (1...127).contains($0) }) else {
            throw CutRuleError("text", "1 to 1024 ASCII characters without a zero byte are wanted")
        }
        self.sqlState = sqlState
        self.message = text
        self.severity = severity ?? (Self.endsSession(sqlState) ? .fatal : .error)
    }

    /// Classes and codes that PostgreSQL gives to a session that ends.
    private static func endsSession(_ sqlState: String) -> Bool {
        sqlState.hasPrefix("28") || sqlState.hasPrefix("57P") || sqlState == "53300" || sqlState == "08P01"
    }

    private static let words = [
        "40001": "could not serialize access due to concurrent update",
        "40P01": "deadlock detected",
        "25006": "cannot execute statement in a read-only transaction",
        "25P03": "terminating connection due to idle-in-transaction timeout",
        "53300": "sorry, too many clients already",
        "55P03": "could not obtain lock on row",
        "57014": "canceling statement due to user request",
        "57P01": "terminating connection due to administrator command",
        "57P02": "terminating connection because of crash of another server process",
        "57P03": "the database system is starting up",
    ]

    /// An ErrorResponse.
    var response: [UInt8] {
        var body: [UInt8] = []
        let fields: [(Character, String)] = [
            ("S", severity.rawValue), ("V", severity.rawValue), ("C", sqlState), ("M", message),
            ("R", "chaosrig_cut_point"),
        ]
        for (code, value) in fields { body += "\(code)\(value)\0".utf8 }
        return WireMaking.message(UInt8(ascii: "E"), body + [0])
    }

    /// A statement that fails with this error, and does nothing else.
    ///
    /// - Parameter name: a prepared statement that is gone afterwards; DEALLOCATE is not undone by the error.
    private func failingStatement(dropping name: String? = nil) -> String {
        func quoted(_ text: String) -> String {
            "E'" + text.reduce(into: "") { $0 += $1 == "'" ? "''" : $1 == "\\" ? "\\\\" : String($1) } + "'"
        }
        // The text is quoted twice: PL/pgSQL's source is itself a string.
        let block =
            "begin \(name.map { "deallocate \($0); " } ?? "")raise exception using errcode = \(quoted(sqlState)), message = \(quoted(message)); end"
        return "do \(quoted(block))"
    }

    /// Takes the place of a Query. The server answers with the error and ReadyForQuery, behind a CommandComplete where it
    /// rolls back first.
    func simple(rollingBack: Bool) -> [UInt8] {
        WireMaking.message(UInt8(ascii: "Q"), Array("\(rollingBack ? "rollback; " : "")\(failingStatement())\0".utf8))
    }

    /// Takes the place of a message of the extended protocol; the server skips what follows up to Sync.
    func extended(rollingBack: Bool) -> [UInt8] {
        (rollingBack ? Self.run("rollback") : []) + Self.run(failingStatement(dropping: Self.statementName))
    }

    /// A name, so that the application's unnamed statement lives on. The statement drops itself; where it could not run, a
    /// later injection closes it first.
    private static let statementName = "chaosrig_cut_point"

    /// Close, Parse, Bind and Execute. Close does not mind a statement that does not exist.
    private static func run(_ statement: String) -> [UInt8] {
        WireMaking.message(UInt8(ascii: "C"), Array("S\(statementName)\0".utf8))
            + WireMaking.message(UInt8(ascii: "P"), Array("\(statementName)\0\(statement)\0".utf8) + [0, 0])
            + WireMaking.message(UInt8(ascii: "B"), Array("\0\(statementName)\0".utf8) + [0, 0, 0, 0, 0, 0])
            + WireMaking.message(UInt8(ascii: "E"), [0, 0, 0, 0, 0])
    }
}

/// Writing messages.
enum WireMaking {
    static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [type] + withUnsafeBytes(of: UInt32(body.count + 4).bigEndian) { Array($0) } + body
    }
}
