import Glibc
package import HostSystem
import Threading

/// A private PgBouncer, version 1.18 or newer, in front of one private server: its own folder and port, reachable on
/// loopback only and without a password. It is a child of this process and runs as the server's user.
///
/// Thread-safe; but two calls that start or stop it must not overlap. Its folder is in the journal before it is made, and
/// its command line names that folder, so another process can remove both. No call is ended by cancellation, each has a
/// bound instead.
package final class ManagedPgBouncer: Sendable {
    package struct Options: Sendable {
        /// Of the PostgreSQL server on 127.0.0.1.
        package var serverPort: UInt16
        package var pooling: Pooling
        /// Who may log in beside the console's administrator; the same role as on the server.
        package var roles: [String]
        /// Server connections for each role.
        package var poolSize: Int
        package var maxClients: Int
        /// Where its log is appended to.
        package var logPath: String
        package var startLimit = Duration.seconds(30)

        package init(
            serverPort: UInt16, pooling: Pooling, roles: [String], poolSize: Int, maxClients: Int, logPath: String
        ) {
            self.serverPort = serverPort
            self.pooling = pooling
            self.roles = roles
            self.poolSize = poolSize
            self.maxClients = maxClients
            self.logPath = logPath
        }
    }

    private static let administrator = "chaosrig_console"

    package let pooling: Pooling
    package let version: PgBouncerVersion
    private let program: PgBouncerProgram
    private let journal: any UndoJournal
    private let entry: Int
    private let child: Lock<ChildProcess?>

    private init(
        pooling: Pooling, version: PgBouncerVersion, program: PgBouncerProgram, journal: any UndoJournal, entry: Int,
        child: ChildProcess
    ) {
        self.pooling = pooling
        self.version = version
        self.program = program
        self.journal = journal
        self.entry = entry
        self.child = Lock(child)
    }

    /// Finds the program, starts it and returns when it takes clients. About 0.1 s.
    ///
    /// - Throws: ``PoolerError``; then nothing is left.
    package static func create(
        in scratch: RunScratch, journal: any UndoJournal, options: Options
    ) async throws(PoolerError) -> ManagedPgBouncer {
        let found = try await PgBouncerProgram.find()
        let user: ProcessUser?
        do throws(ServerError) { user = try ProcessUser.forServer() } catch { throw .place(error) }
        let folder = scratch.newPath("pgb")
        return try await onOwnThread(
            "start pgbouncer",
            throwing: { () throws(PoolerError) in
                let entry: Int
                do { entry = try journal.willChange(.removeFolder(path: folder)) } catch { throw .journal(error) }
                do throws(PoolerError) {
                    let (program, child) = try firstStart(found.path, folder, user, options)
                    return ManagedPgBouncer(
                        pooling: options.pooling, version: found.version, program: program, journal: journal,
                        entry: entry, child: child)
                } catch {
                    try? remove(folder, journal: journal, entry: entry)
                    throw error
                }
            })
    }

    // MARK: - What it is

    /// For libpq, over TCP.
    package var url: String { "postgresql://127.0.0.1:\(port)/\(database)" }
    package var port: UInt16 { program.port }
    /// The name of the database that clients use, in commands of the console too.
    package var database: String { PgBouncerSettings.database }
    package var logPath: String { program.logPath }

    /// `nil` when it does not run.
    package var process: ProcessIdentity? {
        guard let child = child.withLock({ $0 }), child.isRunning else { return nil }
        return ProcessTable.identity(of: child.pid)
    }

    /// Runs one command on its admin console.
    ///
    /// - Returns: its rows, values by column; no value for NULL.
    /// - Throws: ``PoolerError/console(command:sqlState:message:)``. A command that had no answer in time may go on (PAUSE
    ///   does).
    package func console(_ command: String, within limit: Duration) async throws(PoolerError) -> [[String: String]] {
        let console = program.console
        let deadline = MonotonicInstant.now.advanced(by: limit)
        return try await onOwnThread(
            "pgbouncer console",
            throwing: { () throws(PoolerError) in try console.run(command, until: deadline) })
    }

    // MARK: - Its life

    /// - Throws: ``PoolerError/notRunning``.
    package func signal(_ number: Int32) throws(PoolerError) {
        guard let child = child.withLock({ $0 }), child.signal(number) else { throw .notRunning }
    }

    /// - Returns: `false` when it still runs at the limit.
    package func waitUntilStopped(within limit: Duration) async -> Bool {
        guard let child = child.withLock({ $0 }) else { return true }
        return await child.wait(within: limit) != nil
    }

    /// Starts it again on the same port, and returns when it takes clients. Returns at once when it runs.
    ///
    /// - Throws: ``PoolerError``; then it does not run.
    package func start(within limit: Duration) async throws(PoolerError) {
        guard process == nil else { return }
        let deadline = MonotonicInstant.now.advanced(by: limit)
        let program = program
        let started = try await onOwnThread(
            "start pgbouncer",
            throwing: { () throws(PoolerError) in try program.start(until: deadline) })
        child.withLock { $0 = started }
    }

    /// Kills it, removes its folder and ends its entry in the journal. Idempotent.
    ///
    /// - Throws: ``PoolerError/notStopped(_:)`` when something is left; its entry stays open then.
    package func destroy() async throws(PoolerError) {
        let child = child.withLock { $0 }
        try await onOwnThread(
            "destroy pgbouncer",
            throwing: { [self] () throws(PoolerError) in
                child?.signal(SIGKILL)
                _ = child?.waitBlocking(until: .now.advanced(by: .seconds(10)))
                try Self.remove(program.folder, journal: journal, entry: entry)
            })
    }

    // MARK: - Making and removing

    /// Another process may take a port between the look and its own bind.
    private static func firstStart(_ path: String, _ folder: String, _ user: ProcessUser?, _ options: Options)
        throws(PoolerError) -> (PgBouncerProgram, ChildProcess)
    {
        let deadline = MonotonicInstant.now.advanced(by: options.startLimit)
        var attempt = 0
        while true {
            attempt += 1
            let port: UInt16
            do throws(ServerError) { port = try ServerPort.choose() } catch { throw .place(error) }
            let program = PgBouncerProgram(
                program: path, folder: folder, user: user, logPath: options.logPath, port: port,
                administrator: administrator)
            let settings = PgBouncerSettings(
                port: port, socketFolder: folder, usersFile: "\(folder)/users", serverPort: options.serverPort,
                pooling: options.pooling, poolSize: options.poolSize, maxClients: options.maxClients,
                administrator: administrator)
            do { try program.prepare(settings, users: [administrator] + options.roles) } catch {
                throw .folder(error)
            }
            do throws(PoolerError) {
                return (program, try program.start(until: deadline))
            } catch .portTaken where attempt < 5 {
                continue
            }
        }
    }

    private static func remove(_ folder: String, journal: any UndoJournal, entry: Int) throws(PoolerError) {
        do { try Undoer().perform(.removeFolder(path: folder)) } catch { throw .notStopped(error) }
        do { try journal.didUndo(entry) } catch { throw .journal(error) }
    }
}
