package import HostSystem

/// A server that is the run's own: its processes, its files, its life. What it holds goes with the run's folder.
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
    /// Starts the server in a recovery that does not end before ``endHeldRecovery(within:)``, and returns when its
    /// postmaster runs. It must be stopped.
    func startHeld() async throws
    /// Lets the recovery end, and returns when the server accepts connections. Does nothing where none is held.
    func endHeldRecovery(within limit: Duration) async throws

    /// Where it keeps its things.
    var place: ServerPlace { get async throws }

    /// Every process of the server now, the postmaster first. Reads /proc: about 5 ms.
    func processes() async -> [ProcessIdentity]
    /// - Returns: `false` when the process is gone.
    func signal(_ process: ProcessIdentity, _ number: Int32) async -> Bool
    /// What /proc says of it; `nil` when it is gone.
    func state(of process: ProcessIdentity) async -> ProcessState?

    /// One attempt as the pool's role and with the secret that the pool knows now. One that is cancelled got no answer.
    func tryConnect(within limit: Duration) async -> ConnectAnswer
    /// The same with this password.
    func tryConnect(password: String, within limit: Duration) async -> ConnectAnswer
    /// From now on the pool's new connections use this password.
    func tellPool(password: String?) async

    /// Runs one statement as the rig's role in the maintenance database `template1`, on a connection for this only: a
    /// session cannot close the database that it is in.
    func runInMaintenanceDatabase(_ sql: String, within limit: Duration) async throws(StatementFailure)

    /// The bytes of `pg_hba.conf`: who may log in, and how.
    func accessRules() async throws -> [UInt8]
    /// Replaces them on disk; the server reads them at its next reload.
    func setAccessRules(_ rules: [UInt8]) async throws
}

/// Folders of a server that is the run's own.
package struct ServerPlace: Sendable, Equatable {
    /// Of the server, in the run's temporary folder; for further things of faults, too.
    package var folder: String
    package var dataDirectory: String
    /// Whom the server's files belong to.
    package var user: UInt32
    package var group: UInt32

    package init(folder: String, dataDirectory: String, user: UInt32, group: UInt32) {
        self.folder = folder
        self.dataDirectory = dataDirectory
        self.user = user
        self.group = group
    }
}

package enum ProcessState: Sendable, Equatable {
    case running
    /// By a signal.
    case stopped
}
