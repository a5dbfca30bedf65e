import RigModel

/// A server connection that a PgBouncer holds, as `SHOW SERVERS` says.
struct PoolerServer: Equatable {
    /// The pid of the server's process.
    var backend: Int32
    /// `active`: lent to a client; `idle`, `used`, `login`, …
    var state: String
    /// It is closed as soon as no client has it.
    var isClosing: Bool

    /// - Returns: `nil` for a row of another database, or of a connection that is being made.
    init?(_ row: [String: String], database: String) {
        guard row["database"] == database, let backend = row["remote_pid"].flatMap(Int32.init), backend > 0 else {
            return nil
        }
        self.backend = backend
        state = row["state"] ?? ""
        isClosing = row["close_needed"] == "1"
    }
}

/// A client of a PgBouncer, as `SHOW CLIENTS` says.
struct PoolerClient: Equatable {
    /// Its socket and when it came name it: ports are used again.
    var name: String
    /// It waits for a server connection.
    var isWaiting: Bool

    /// - Returns: `nil` for a row of another database.
    init?(_ row: [String: String], database: String) {
        guard row["database"] == database, let port = row["port"] else { return nil }
        name = "\(row["addr"] ?? "") \(port) \(row["connect_time"] ?? "")"
        isWaiting = row["state"] == "waiting"
    }
}

extension PoolerControl {
    /// Of each look at the console.
    static var lookLimit: Duration { .seconds(2) }

    func servers(of database: String) async throws(StatementFailure) -> [PoolerServer] {
        try await console("SHOW SERVERS", within: Self.lookLimit).compactMap { PoolerServer($0, database: database) }
    }

    func clients(of database: String) async throws(StatementFailure) -> [PoolerClient] {
        try await console("SHOW CLIENTS", within: Self.lookLimit).compactMap { PoolerClient($0, database: database) }
    }

    /// It lets nobody have a server connection of this database.
    func isPaused(_ database: String) async throws(StatementFailure) -> Bool {
        try await console("SHOW DATABASES", within: Self.lookLimit).contains {
            $0["name"] == database && $0["paused"] == "1"
        }
    }

    /// The value of a setting now.
    func value(of setting: String) async throws -> String {
        let rows = try await console("SHOW CONFIG", within: Self.lookLimit)
        guard let value = rows.first(where: { $0["key"] == setting })?["value"] else {
            throw InjectionError("this PgBouncer has no setting \(setting)")
        }
        return value
    }

    /// Lets clients have server connections again, and checks it. Does nothing when they may.
    func resume(_ database: String) async throws {
        if try await isPaused(database) {
            _ = try await console("RESUME \(Self.quoted(database))", within: Self.lookLimit)
        }
        guard try await !isPaused(database) else { throw InjectionError("\(database) is still paused after RESUME") }
    }

    /// A name for a command of the console.
    static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }

    /// How many lines of the log since then have these words.
    func logged(_ words: String, since position: Int) async -> Int {
        await logLines(since: position).count { $0.contains(words) }
    }
}
