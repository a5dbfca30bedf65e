import Threading

@testable import FaultInjection

/// Statements and settings of a server that answers what the faults ask in a plain case. Thread-safe.
struct FakeSQL: StatementControl, SettingsControl {
    let fake: FakeStage

    let appendsTable = "t_appends"
    let accountsTable = "t_accounts"
    let prefix = "t"
    let poolRole = "pool"

    func run(_ sql: String, within limit: Duration) async throws(StatementFailure) -> [[String?]] {
        try fake.takeStatement(sql)
        if sql.contains("current_database()") { return [["postgres"]] }
        if sql.contains("datallowconn") { return [["true"]] }
        if sql.hasPrefix("SELECT count(*)") { return [["0"]] }
        // What slots-exhausted asks for: no room, and no fillers.
        if sql.contains("max_connections") { return [["0", ""]] }
        return []
    }

    func openSession(as role: String?) async throws(StatementFailure) -> any FaultSession { Session(sql: self) }

    func value(of setting: String) async throws -> String {
        fake.state.withLock { $0.settings[setting] ?? "default" }
    }

    func set(_ settings: [(name: String, value: String?)]) async throws {
        try fake.takeStatement("reload")
        fake.state.withLock { state in
            for (name, value) in settings { state.settings[name] = value }
        }
    }

    private struct Session: FaultSession {
        let sql: FakeSQL
        var pid: Int32 { 4712 }
        func run(_ text: String, within limit: Duration) async throws(StatementFailure) -> [[String?]] {
            try await sql.run(text, within: limit)
        }
        func close() async {}
    }
}

extension FakeStage {
    /// The same with SQL.
    var sqlStage: FaultStage {
        var stage = stage
        stage.statements = FakeSQL(fake: self)
        stage.settings = FakeSQL(fake: self)
        return stage
    }

    /// - Throws: while the server is away for statements.
    func takeStatement(_ text: String) throws(StatementFailure) {
        try state.withLock { state throws(StatementFailure) in
            if state.statementsThatFail > 0 {
                state.statementsThatFail -= 1
                throw StatementFailure(sqlState: nil, message: "Connection refused")
            }
            state.statements.append(text)
        }
    }
}
