package import HostSystem

/// What faults may act on in this run. The orchestrator fills it in; a part that is `nil` does not exist here, and a
/// fault that needs it is refused before anything starts.
package struct FaultStage: Sendable {
    /// The rig's own sessions on the server.
    package var sessions: (any SessionControl)?
    /// The server process; only where the rig runs on its host and owns it.
    package var server: (any ServerControl)?
    /// The network path between pool and server.
    package var link: (any LinkControl)?
    /// The file of an embedded database.
    package var file: (any DatabaseFileControl)?
    /// For mechanisms that are programs of the system (`tc`).
    package var programs: (any ProgramRunner)?
    package var statements: (any StatementControl)?
    package var settings: (any SettingsControl)?
    /// The process that holds the pool, where that is not the rig.
    package var client: (any ClientControl)?
    package var journal: any UndoJournal

    package init(
        sessions: (any SessionControl)?, server: (any ServerControl)?, link: (any LinkControl)?,
        file: (any DatabaseFileControl)?, programs: (any ProgramRunner)? = nil, journal: any UndoJournal
    ) {
        self.programs = programs
        self.sessions = sessions
        self.server = server
        self.link = link
        self.file = file
        self.journal = journal
    }
}

/// One session that the pool under test holds on the server.
package struct ServerSession: Sendable, Hashable {
    package var pid: Int32
    /// Text of `backend_start`; with the pid it names the session for good, also when the pid is used again.
    package var startedAt: String
    /// `pg_stat_activity.state`: `idle`, `active`, `idle in transaction`, …
    package var state: String
    /// Age in seconds, by the server's clock.
    package var ageSeconds: Double

    package init(pid: Int32, startedAt: String, state: String, ageSeconds: Double) {
        self.pid = pid
        self.startedAt = startedAt
        self.state = state
        self.ageSeconds = ageSeconds
    }
}

/// SQL-level power over the rig's own sessions, over a connection that no fault touches. Only sessions that carry the
/// run's `application_name` are ever listed or ended.
package protocol SessionControl: Sendable {
    func sessions() async throws -> [ServerSession]
    /// Ends sessions (`pg_terminate_backend`) and waits, at most 2 s, until they are gone.
    ///
    /// - Returns: those that are proven gone.
    func terminate(_ sessions: [ServerSession]) async throws -> [ServerSession]
}

package enum ShutdownMode: String, Sendable, CaseIterable {
    case smart
    case fast
    case immediate
    /// SIGKILL of the postmaster: crash recovery at the next start.
    case crash
}

/// The answer to one attempt to connect, made by the rig beside the pool.
package enum ConnectAnswer: Sendable, Equatable {
    case accepted
    /// `sqlState` is `nil` when the server did not even answer (connection refused).
    case refused(sqlState: String?, message: String)
}

package protocol ServerControl: Sendable {
    /// The postmaster's pid, or `nil` when it does not run.
    func postmasterPID() async -> Int32?
    /// Begins a shutdown and returns at once.
    func beginShutdown(_ mode: ShutdownMode) async throws
    /// Waits until every process of the server is gone.
    ///
    /// - Returns: `false` when some are left at the limit.
    func waitUntilStopped(within limit: Duration) async -> Bool
    /// Starts the server and returns when it accepts connections.
    func start(within limit: Duration) async throws
    func tryConnect(within limit: Duration) async -> ConnectAnswer
}

package protocol DatabaseFileControl: Sendable {
    /// Takes the write lock of the database from a second connection and keeps it until ``unlock()``.
    func lock() async throws
    func unlock() async throws
    /// Tries to write through a third connection without waiting.
    ///
    /// - Returns: the SQLite code, `SQLITE_OK` or for example `SQLITE_BUSY`.
    func tryWrite() async -> String
}
