import Glibc
import HostSystem
import Threading

/// How one private PgBouncer is started. A value with blocking, bounded methods; what runs is kept by
/// ``ManagedPgBouncer``.
struct PgBouncerProgram: Sendable {
    let program: String
    /// Its own folder. Its command line names it: that is how another process finds what is left of it.
    let folder: String
    let user: ProcessUser?
    let logPath: String
    let port: UInt16
    let administrator: String

    var console: PgBouncerConsole { PgBouncerConsole(socketFolder: folder, port: port, role: administrator) }

    /// - Returns: the program's path and its version.
    static func find() async throws(PoolerError) -> (path: String, version: PgBouncerVersion) {
        guard let path = findProgram("pgbouncer") else { throw .noProgram }
        let result: ProgramResult
        do {
            result = try await ProgramCall(path: path, arguments: ["--version"], timeout: .seconds(10)).run()
        } catch {
            throw .notStarted(reason: "\(error)", logTail: [])
        }
        let words = result.standardOutput.split(separator: "\n").first.map(String.init) ?? ""
        guard let version = PgBouncerVersion(programOutput: words), version >= .oldest else {
            throw .unsupportedVersion(text: words, program: path)
        }
        return (path, version)
    }

    /// Makes its folder with its files, all of them its user's.
    func prepare(_ settings: PgBouncerSettings, users: [String]) throws(SystemError) {
        if !SmallFile.exists(folder) {
            // The rig passes through to the socket of the console.
            try SmallFile.makeFolder(folder, mode: 0o711)
            try ServerFolders.give(folder, to: user)
        }
        for (path, text) in [
            (configuration, settings.text), (settings.usersFile, PgBouncerSettings.users(users)),
        ] {
            try SmallFile.write(Array(text.utf8), to: path)
            try ServerFolders.give(path, to: user)
        }
    }

    private var configuration: String { "\(folder)/pgbouncer.ini" }

    /// Starts it as a child of this process and returns once console and port are its own.
    ///
    /// - Throws: ``PoolerError``; nothing of it runs then.
    func start(until deadline: MonotonicInstant) throws(PoolerError) -> ChildProcess {
        let log = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard log >= 0 else { throw .folder(SystemError("open \(logPath)")) }
        defer { close(log) }
        let logStart = Int(lseek(log, 0, SEEK_END))
        let child: ChildProcess
        do {
            child = try ChildProcess(
                SpawnRequest(
                    path: program, arguments: [configuration], environment: environment, workingDirectory: folder,
                    user: user, standardOutput: log, standardError: log))
        } catch {
            throw .notStarted(reason: "\(error)", logTail: [])
        }
        do {
            try waitUntilReady(child, until: deadline, logStart: logStart)
            return child
        } catch {
            child.signal(SIGKILL)
            _ = child.waitBlocking(until: .now.advanced(by: .seconds(10)))
            throw error
        }
    }

    private var environment: [String: String] {
        var variables = ["PATH": "/usr/bin:/bin", "LC_ALL": "C"]
        variables["LD_LIBRARY_PATH"] = currentEnvironment()["LD_LIBRARY_PATH"]
        return variables
    }

    /// It goes on when it cannot have its port, as long as it has its socket: so both are looked at.
    private func waitUntilReady(_ child: ChildProcess, until deadline: MonotonicInstant, logStart: Int)
        throws(PoolerError)
    {
        var answer: PoolerError?
        let isReady = Waiting.untilTrue(before: deadline) {
            guard child.isRunning else { return true }
            do throws(PoolerError) {
                _ = try console.run("SHOW VERSION", until: min(deadline, .now.advanced(by: .seconds(2))))
                return true
            } catch {
                answer = error
                return false
            }
        }
        let log = SmallFile.bytes(logPath).map { String(decoding: $0.dropFirst(logStart), as: UTF8.self) } ?? ""
        if let status = child.exitStatus {
            throw .notStarted(reason: "it ended with \(status)", logTail: ServerProgram.tail(log, lines: 20))
        }
        guard isReady else {
            throw .notStarted(
                reason: "it was not ready in time" + (answer.map { " (\($0))" } ?? ""),
                logTail: ServerProgram.tail(log, lines: 20))
        }
        guard ServerPort.isHeld(port, by: child.pid) else { throw .portTaken(port: port) }
    }
}
