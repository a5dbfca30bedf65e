import Glibc
import HostSystem
import Threading

/// How one private server is started and recognised. A value with blocking, bounded methods; what runs is kept by
/// ``ManagedPostgres``.
struct ServerProgram: Sendable {
    let installation: PostgresInstallation
    let folders: ServerFolders
    let user: ProcessUser?
    let logPath: String
    let port: UInt16
    let network: ServerNetwork?

    static let role = "chaosrig"

    /// Makes the database cluster and appends the settings to its configuration.
    static func initialise(_ folders: ServerFolders, _ installation: PostgresInstallation, as user: ProcessUser?)
        throws(ServerError)
    {
        let call = ProgramCall(
            path: installation.initdb,
            arguments: [
                "-D", folders.data, "-U", role, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync",
            ],
            environment: environment(installation), workingDirectory: folders.root, user: user, timeout: .seconds(120))
        let result: ProgramResult
        do { result = try call.runBlocking() } catch { throw .notInitialised(reason: "\(error)") }
        guard result.succeeded else {
            let words = result.standardError.isEmpty ? result.standardOutput : result.standardError
            throw .notInitialised(reason: "initdb ended with \(result.status): \(words.suffix(1000))")
        }
    }

    /// Copies the running server's data to the folders of a standby, which will follow it (`standby.signal` and
    /// `primary_conninfo` are written there).
    func copy(to standby: ServerFolders) throws(ServerError) {
        let path = "\(installation.binFolder)/pg_basebackup"
        guard isExecutableFile(path) else {
            throw .notCopied(
                reason: "\(path) is not on this machine (Debian, Ubuntu: apt-get install postgresql-client)")
        }
        let call = ProgramCall(
            path: path,
            arguments: [
                "-h", folders.sockets, "-p", "\(port)", "-U", Self.role, "-D", standby.data, "-R", "-X", "stream",
                "-c", "fast", "--no-sync",
            ],
            environment: Self.environment(installation), workingDirectory: standby.root, user: user,
            timeout: .seconds(120))
        let result: ProgramResult
        do { result = try call.runBlocking() } catch { throw .notCopied(reason: "\(error)") }
        guard result.succeeded else {
            throw .notCopied(reason: "pg_basebackup ended with \(result.status): \(result.standardError.suffix(1000))")
        }
    }

    /// Nothing of this process's own environment but what finds libraries: PGDATA, PGOPTIONS or LD_PRELOAD meant for the
    /// rig must not change the server.
    static func environment(_ installation: PostgresInstallation) -> [String: String] {
        var variables = ["PATH": "\(installation.binFolder):/usr/bin:/bin", "LC_ALL": "C"]
        variables["LD_LIBRARY_PATH"] = currentEnvironment()["LD_LIBRARY_PATH"]
        return variables
    }

    /// Starts the server as a child of this process (not with pg_ctl, whose server would be a stranger's child and stay a
    /// zombie for long) and returns once it accepts connections.
    ///
    /// - Throws: ``ServerError/portTaken(port:)``, ``ServerError/notStarted(reason:logTail:)`` and others; nothing of it
    ///   runs then.
    func start(until deadline: MonotonicInstant) throws(ServerError) -> ChildProcess {
        let logStart = logSize
        let child = try launch(arguments: [])
        do {
            try waitUntilReady(child, until: deadline, logStart: logStart)
            return child
        } catch {
            try? stop(child)
            throw error
        }
    }

    /// Starts the server's program and returns at once: what becomes of it is to be seen.
    ///
    /// - Parameter arguments: further ones of `postgres`.
    func launch(arguments: [String]) throws(ServerError) -> ChildProcess {
        try clearAway()
        let log = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw .folder(SystemError("open \(logPath)")) }
        defer { close(log) }
        do {
            return try ChildProcess(
                SpawnRequest(
                    path: installation.postgres, arguments: ["-D", folders.data] + arguments,
                    environment: Self.environment(installation), workingDirectory: folders.root, user: user,
                    standardOutput: log, standardError: log, network: network?.namespace))
        } catch {
            throw .notStarted(reason: "\(error)", logTail: [])
        }
    }

    /// Bytes in its log now.
    var logSize: Int {
        var info = stat()
        return stat(logPath, &info) == 0 ? Int(info.st_size) : 0
    }

    /// Ends what is left of the server, whoever started it, in bounded time.
    func stop(_ child: ChildProcess?) throws(ServerError) {
        do { try Undoer().perform(.stopServer(dataDirectory: folders.data)) } catch { throw .notStopped(error) }
        // A postmaster so young that it cannot be told from its parent by /proc is missed above, but it is our child.
        child?.signal(SIGKILL)
        _ = child?.waitBlocking(until: .now.advanced(by: .seconds(10)))
    }

    /// The last lines of a log, oldest first.
    static func tail(_ text: String, lines: Int) -> [String] {
        text.split(separator: "\n").suffix(lines).map(String.init)
    }

    /// After a crash the pid file of the dead server stays. PostgreSQL would refuse to start when its number is in use
    /// again, by whatever; so it is removed, but only when no process is left on the data directory.
    private func clearAway() throws(ServerError) {
        try stop(nil)
        let path = PostmasterFile.path(in: folders.data)
        guard unlink(path) == 0 || errno == ENOENT else { throw .folder(SystemError("remove \(path)")) }
    }

    /// The server itself says when it is ready, in its pid file (`pg_ctl` trusts the same line): no connection is spent.
    ///
    /// - Parameter logStart: where what the server wrote since its start begins.
    func waitUntilReady(_ child: ChildProcess, until deadline: MonotonicInstant, logStart: Int)
        throws(ServerError)
    {
        let isReady = Waiting.untilTrue(before: deadline) {
            guard child.isRunning else { return true }
            let file = PostmasterFile.read(in: folders.data)
            return file?.pid == child.pid && file?.status == "ready"
        }
        let log = SmallFile.bytes(logPath).map { String(decoding: $0.dropFirst(logStart), as: UTF8.self) } ?? ""
        if let status = child.exitStatus {
            if log.contains("Address already in use") { throw .portTaken(port: port) }
            throw .notStarted(reason: "it ended with \(status)", logTail: Self.tail(log, lines: 20))
        }
        guard isReady else {
            throw .notStarted(reason: "it was not ready in time", logTail: Self.tail(log, lines: 20))
        }
        guard ServerPort.isHeld(port, by: child.pid) else { throw .portTaken(port: port) }
    }
}
