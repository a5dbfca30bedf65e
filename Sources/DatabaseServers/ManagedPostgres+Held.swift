import Glibc
import HostSystem
import Threading

/// A start that lasts: the server says 57P03 (starting up) until it is let go.
extension ManagedPostgres {
    /// Starts the server, which must be stopped, in an archive recovery that asks a file for permission to end. Returns
    /// when its postmaster runs; it answers soon after.
    ///
    /// The command that waits is given on the command line and not in a file: the next start knows nothing of it.
    package func startHeld() async throws(ServerError) {
        let program = program
        let logStart = program.logSize
        let started = try await onOwnThread(
            "start postgres",
            throwing: { () throws(ServerError) in
                do throws(ServerError) {
                    return try Self.launchHeld(program)
                } catch {
                    // The next start would find an archive recovery without a command, and die of it.
                    try? Self.remove(program.folders.recoverySignal)
                    try? Self.remove(program.folders.hold)
                    throw error
                }
            })
        heldStart.withLock { $0 = logStart }
        child.withLock { $0 = started }
    }

    private static func launchHeld(_ program: ServerProgram) throws(ServerError) -> ChildProcess {
        do throws(SystemError) {
            for path in [program.folders.hold, program.folders.recoverySignal] {
                try SmallFile.write([], to: path)
                try ServerFolders.give(path, to: program.user)
            }
        } catch {
            throw .folder(error)
        }
        // PostgreSQL runs this command by a shell; the path is the rig's own and holds no quotes.
        let wait = "while [ -e '\(program.folders.hold)' ]; do sleep 0.05; done; false"
        // Without hot standby it is ready when the recovery has ended, and not when it could be read.
        return try program.launch(
            arguments: ["-c", "hot_standby=off", "-c", "restore_command=\(wait)"])
    }

    /// Lets a held start go on, and returns when the server accepts connections. Returns at once where none is held.
    ///
    /// - Throws: ``ServerError/notStarted(reason:logTail:)`` and others; the server may be dead then.
    package func endHeldStart(within limit: Duration) async throws(ServerError) {
        let logStart = heldStart.withLock { $0.take() }
        let child = child.withLock { $0 }
        let deadline = MonotonicInstant.now.advanced(by: limit)
        let program = program
        try await onOwnThread(
            "end recovery",
            throwing: { () throws(ServerError) in
                try Self.remove(program.folders.hold)
                guard let logStart, let child else { return }
                do throws(ServerError) {
                    try program.waitUntilReady(child, until: deadline, logStart: logStart)
                } catch {
                    // A server that has recovered has removed this itself, and one that has not needs it while it runs.
                    if !child.isRunning { try Self.remove(program.folders.recoverySignal) }
                    throw error
                }
            })
    }

    private static func remove(_ path: String) throws(ServerError) {
        guard unlink(path) == 0 || errno == ENOENT else { throw .folder(SystemError("remove \(path)")) }
    }
}
