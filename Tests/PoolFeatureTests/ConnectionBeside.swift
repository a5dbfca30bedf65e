import ConnectionPool
import PostgresDriver
import RigTestSupport
import Threading

/// A subject of a test with a connection of its own beside the pool.
protocol ConnectionBeside {
    var admin: PostgresConnection { get }
}

extension ConnectionBeside {
    /// Asks on the connection beside the pool.
    @discardableResult
    func ask(_ text: String, _ parameters: [SQLValue] = []) async throws -> SQLResult {
        try await admin.execute(SQLStatement(text, parameters, role: .write), deadline: .inTenMinutes)
    }

    /// Server processes whose sessions have this name.
    func sessions(named name: String) async throws -> [Int32] {
        try await ask("SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY pid", [.text(name)])
            .rows.compactMap { $0[0].intValue.map(Int32.init) }
    }

    /// Asks until the number of sessions with this name is as wanted; a server notices a goodbye a little later.
    ///
    /// - Throws: `CancellationError` when the task is cancelled first, for example by the time limit of its test.
    func untilSessions(named name: String, _ isMet: (Int) -> Bool) async throws {
        while try await !isMet(sessions(named: name).count) { try Task.checkCancellation() }
    }
}
