import Glibc
package import HostSystem
import Threading

/// How a private server is shut down.
package enum PostgresShutdown: String, Sendable, CaseIterable {
    /// SIGTERM: waits for every client to leave, refuses new ones.
    case smart
    /// SIGINT: ends every session, writes a checkpoint.
    case fast
    /// SIGQUIT: ends at once; crash recovery at the next start.
    case immediate
    /// SIGKILL of the postmaster: nobody tells the sessions, and what guards the data directory stays behind.
    case crash

    var signal: Int32 {
        switch self {
        case .smart: SIGTERM
        case .fast: SIGINT
        case .immediate: SIGQUIT
        case .crash: SIGKILL
        }
    }
}

/// A private PostgreSQL server, version 13 to 18: its own data directory, port and sockets in the run's temporary
/// folder, superuser `chaosrig` without a password, reachable on loopback only, or in a network of the run's own. It is a child
/// of this process.
///
/// ```swift
/// let server = try await ManagedPostgres.create(in: scratch, journal: journal)
/// try await server.beginShutdown(.crash)
/// await server.waitUntilStopped(within: .seconds(10))
/// try await server.start(within: .seconds(30))
/// try await server.destroy()
/// ```
///
/// Thread-safe; but two calls that start or stop it must not overlap. Folder and server are in the journal before they
/// exist, so another process can remove both. No call is ended by cancellation, each has a bound instead.
package final class ManagedPostgres: Sendable {
    package struct Options: Sendable {
        package var maxConnections = 100
        package var durability = Durability.fast
        /// Where the server's log is appended to; a file in the server's folder when `nil`.
        package var logPath: String?
        /// It also takes connections by TLS, with a certificate of its own authority.
        package var tls = false
        /// Further settings of postgresql.conf; they win over the rig's own.
        package var settings: [(name: String, value: String)] = []
        /// A network of the run's own that the server lives in; the rig's own when `nil`.
        package var network: ServerNetwork?
        package var startLimit = Duration.seconds(60)
        package init() {}
    }

    /// How long backends may outlive their postmaster before they are killed.
    private static let orphanGrace = Duration.milliseconds(500)

    let program: ServerProgram
    private let journal: any UndoJournal
    private let entries: [Int]
    let certificates: ServerCertificates?
    /// How many certificates it has had.
    let certificateCount = Lock(1)
    let child: Lock<ChildProcess?>
    /// Where the log of the start that is under way begins.
    let heldStart = Lock<Int?>(nil)

    private init(
        program: ServerProgram, journal: any UndoJournal, entries: [Int], child: ChildProcess,
        certificates: ServerCertificates?
    ) {
        self.certificates = certificates
        self.program = program
        self.journal = journal
        self.entries = entries
        self.child = Lock(child)
    }

    /// Finds the programs, makes a database, starts it and returns when it accepts connections. About 1 s.
    ///
    /// - Throws: ``ServerError``; then nothing is left.
    package static func create(
        in scratch: RunScratch, journal: any UndoJournal, options: Options = Options()
    ) async throws(ServerError) -> ManagedPostgres {
        let installation = try await PostgresInstallation.find()
        let user = try ProcessUser.forServer()
        let folders = ServerFolders(root: scratch.newPath("pg"))
        return try await onOwnThread(
            "start postgres",
            throwing: { () throws(ServerError) in
                var entries: [Int] = []
                do throws(ServerError) {
                    try announce(folders, in: journal, entries: &entries)
                    do throws(SystemError) { try folders.make(for: user) } catch { throw .folder(error) }
                    try ServerProgram.initialise(folders, installation, as: user)
                    var options = options
                    var certificates: ServerCertificates?
                    if options.tls {
                        let new = ServerCertificates(folder: folders.certificates, user: user)
                        try new.make()
                        options.settings += [
                            ("ssl", "on"), ("ssl_cert_file", new.certificate), ("ssl_key_file", new.key),
                        ]
                        certificates = new
                    }
                    if let network = options.network { try folders.letIn(network.clients) }
                    let (program, child) = try firstStart(folders, installation, user, options)
                    return ManagedPostgres(
                        program: program, journal: journal, entries: entries, child: child, certificates: certificates)
                } catch {
                    try? remove(folders, journal: journal, entries: entries)
                    throw error
                }
            })
    }

    /// Copies a server that runs, and starts the copy as a standby that follows it. About 1 s; the original must let it,
    /// and is not disturbed. The copy has the same superuser and a port of its own.
    ///
    /// - Throws: ``ServerError``; then nothing is left of the copy.
    package static func createStandby(
        of primary: ManagedPostgres, in scratch: RunScratch, journal: any UndoJournal, options: Options
    ) async throws(ServerError) -> ManagedPostgres {
        let original = primary.program
        let folders = ServerFolders(root: scratch.newPath("pg"))
        return try await onOwnThread(
            "start standby",
            throwing: { () throws(ServerError) in
                var entries: [Int] = []
                do throws(ServerError) {
                    try announce(folders, in: journal, entries: &entries)
                    do throws(SystemError) { try folders.make(for: original.user) } catch { throw .folder(error) }
                    try original.copy(to: folders)
                    let (program, child) = try firstStart(folders, original.installation, original.user, options)
                    return ManagedPostgres(
                        program: program, journal: journal, entries: entries, child: child, certificates: nil)
                } catch {
                    try? remove(folders, journal: journal, entries: entries)
                    throw error
                }
            })
    }

    // MARK: - What it is

    /// For libpq, over TCP; with TLS where it has that, and then with a check of its certificate.
    package var url: String {
        let tls = certificates.map { "?sslmode=verify-ca&sslrootcert=\($0.trusted)" } ?? ""
        let address = program.network?.addresses.first ?? "127.0.0.1"
        return "postgresql://\(ServerProgram.role)@\(address):\(port)/postgres\(tls)"
    }
    package var port: UInt16 { program.port }
    /// The folder of its Unix socket: `host` in a libpq connection string, with the same port.
    package var socketDirectory: String { program.folders.sockets }
    package var dataDirectory: String { program.folders.data }
    /// For example `15.18`.
    package var serverVersion: String { program.installation.version.description }
    package var serverVersionMajor: Int { program.installation.version.major }
    /// The superuser that connects without a password.
    package var role: String { ServerProgram.role }
    package var logPath: String { program.logPath }

    /// The postmaster's pid, or `nil` when it does not run.
    package func postmasterPID() -> Int32? {
        guard let child = child.withLock({ $0 }), child.isRunning else { return nil }
        return child.pid
    }

    // MARK: - Its life

    /// Begins a shutdown and returns at once.
    ///
    /// - Throws: ``ServerError/notRunning``.
    package func beginShutdown(_ mode: PostgresShutdown) throws(ServerError) {
        guard let child = child.withLock({ $0 }), child.signal(mode.signal) else { throw .notRunning }
    }

    /// Waits until every process of the server is gone, also backends that outlive their postmaster: they get half a
    /// second to notice, and are then killed.
    ///
    /// - Returns: `false` when some are left at the limit; a postmaster that still runs is never killed here.
    package func waitUntilStopped(within limit: Duration) async -> Bool {
        let deadline = MonotonicInstant.now.advanced(by: limit)
        return await onOwnThread("stop postgres") { [self] in waitUntilStoppedBlocking(until: deadline) }
    }

    /// Starts the server again on the same port and data, and returns when it accepts connections. Returns at once when
    /// it runs.
    ///
    /// - Throws: ``ServerError``; then no process of it runs.
    package func start(within limit: Duration) async throws(ServerError) {
        guard postmasterPID() == nil else { return }
        let deadline = MonotonicInstant.now.advanced(by: limit)
        let program = program
        let started = try await onOwnThread(
            "start postgres",
            throwing: { () throws(ServerError) in
                try program.start(until: deadline)
            })
        child.withLock { $0 = started }
    }

    /// Stops the server the hard way, removes its folder and ends its entries in the journal. Idempotent; at most about
    /// half a minute, normally 0.1 s.
    ///
    /// - Throws: ``ServerError/notStopped(_:)`` when something is left; its entries stay open then.
    package func destroy() async throws(ServerError) {
        try await onOwnThread("destroy postgres", throwing: { [self] () throws(ServerError) in try destroyBlocking() })
    }

    /// ``destroy()`` on the calling thread, for the end of a process.
    package func destroyBlocking() throws(ServerError) {
        try program.stop(child.withLock { $0 })
        try Self.remove(program.folders, journal: journal, entries: entries)
    }

    private func waitUntilStoppedBlocking(until deadline: MonotonicInstant) -> Bool {
        if let child = child.withLock({ $0 }), child.waitBlocking(until: deadline) == nil { return false }
        let killFrom = MonotonicInstant.now.advanced(by: Self.orphanGrace)
        return Waiting.untilTrue(before: deadline) {
            let left = PostgresProcesses.running(on: dataDirectory)
            if MonotonicInstant.now >= killFrom { for process in left { process.signal(SIGKILL) } }
            return left.isEmpty
        }
    }

    // MARK: - Making and removing

    /// The first start looks for a port; another process may take it between the look and the server's own bind.
    private static func firstStart(
        _ folders: ServerFolders, _ installation: PostgresInstallation, _ user: ProcessUser?, _ options: Options
    ) throws(ServerError) -> (ServerProgram, ChildProcess) {
        guard let base = SmallFile.bytes(folders.configuration) else {
            throw .folder(SystemError("read \(folders.configuration)"))
        }
        let deadline = MonotonicInstant.now.advanced(by: options.startLimit)
        var attempt = 0
        while true {
            attempt += 1
            let port = try ServerPort.choose()
            var settings = ServerSettings(
                port: port, socketFolder: folders.sockets, maxConnections: options.maxConnections,
                durability: options.durability,
                extra: (options.network == nil ? [] : ServerNetwork.settings) + options.settings)
            settings.addresses += options.network?.addresses ?? []
            do { try SmallFile.write(base + Array(settings.text.utf8), to: folders.configuration) } catch {
                throw .folder(error)
            }
            let program = ServerProgram(
                installation: installation, folders: folders, user: user,
                logPath: options.logPath ?? "\(folders.root)/server.log", port: port, network: options.network)
            do throws(ServerError) {
                return (program, try program.start(until: deadline))
            } catch .portTaken where attempt < 5 {
                continue
            }
        }
    }

    /// The order matters: an undo goes backwards, so the server is stopped before its folder is removed.
    private static func announce(_ folders: ServerFolders, in journal: any UndoJournal, entries: inout [Int])
        throws(ServerError)
    {
        for undo in [Undo.removeFolder(path: folders.root), .stopServer(dataDirectory: folders.data)] {
            do { entries.append(try journal.willChange(undo)) } catch { throw .journal(error) }
        }
    }

    private static func remove(_ folders: ServerFolders, journal: any UndoJournal, entries: [Int])
        throws(ServerError)
    {
        do {
            try Undoer().perform(.stopServer(dataDirectory: folders.data))
            try Undoer().perform(.removeFolder(path: folders.root))
        } catch {
            throw .notStopped(error)
        }
        for entry in entries.reversed() {
            do { try journal.didUndo(entry) } catch { throw .journal(error) }
        }
    }
}
