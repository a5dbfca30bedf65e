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
    /// What the server wrote about the pool's sessions; only where the server is the run's own.
    package var log: (any ServerLog)?
    package var standby: (any StandbyControl)?
    package var certificates: (any CertificateControl)?
    /// Where packets of the pool can be told apart from all others; `nil` where the rig may not touch them.
    package var network: NetworkPlace?
    /// The name under which the pool looks its server up.
    package var names: (any NameControl)?
    /// A PgBouncer of the run's own in front of the server.
    package var pooler: (any PoolerControl)?
    /// The process that holds the pool, where that is not the rig.
    package var client: (any ClientControl)?
    /// The container of a compose service; ``programs`` has its engine's.
    package var container: ContainerPlace?
    /// What the workload met so far.
    package var workload: (any WorkloadErrors)?
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
    /// The other end of the server's socket: the pool's, or the relay's. `nil` for a Unix socket.
    package var clientAddress: String?
    package var clientPort: Int?
    /// Text of `query_start`: with the session it names the statement that runs, or ran last.
    package var statementStartedAt: String?

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
    /// Waits, at most 2 s, until sessions are gone that something else ends.
    ///
    /// - Returns: those that are.
    func waitUntilGone(_ sessions: [ServerSession]) async throws -> [ServerSession]
    /// Cancels statements of the pool that run at this moment (`pg_cancel_backend`), and waits, at most 2 s, until they have
    /// ended. In one request: statements are short, and would be over before a second one.
    ///
    /// - Parameters:
    ///   - limit: so many at the most.
    ///   - share: of those that run, at least one; which, is drawn from the seed.
    /// - Returns: sessions that got the signal in their statement, and whose statement has ended.
    func cancelStatements(atMost limit: Int, share: Double, seed: UInt64) async throws -> [ServerSession]
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
    /// `sqlState` is `nil` when nothing but a refusal came (connection refused).
    case refused(sqlState: String?, message: String)
    /// Nothing came at all within the limit.
    case noAnswer
}
