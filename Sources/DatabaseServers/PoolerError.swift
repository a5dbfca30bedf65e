package import HostSystem

/// A PgBouncer that cannot be had, or does not do what it was told.
package enum PoolerError: Error, CustomStringConvertible {
    /// The program is not on this machine.
    case noProgram
    /// Its version is unknown, or too old: 1.18 is the first that shows each client's `application_name`.
    case unsupportedVersion(text: String, program: String)
    /// No user to run it as, no free port.
    case place(ServerError)
    /// It ended, or did not become ready in time. With the end of its log.
    case notStarted(reason: String, logTail: [String])
    /// Another process listens on its port.
    case portTaken(port: UInt16)
    case notRunning
    /// The console did not answer, or refused. `sqlState` is `nil` when nothing came.
    case console(command: String, sqlState: String?, message: String)
    /// Something of it is left.
    case notStopped(UndoFailure)
    /// Its folder or a file of it could not be made.
    case folder(SystemError)
    /// The journal refused, so nothing was started.
    case journal(any Error)

    package var description: String {
        switch self {
        case .noProgram:
            "the program pgbouncer is not on this machine; install it (Debian, Ubuntu: apt-get install pgbouncer)"
        case .unsupportedVersion(let text, let program):
            "\(program) calls itself \"\(text)\", but the rig works with PgBouncer \(PgBouncerVersion.oldest) or newer"
        case .place(let error): "\(error)"
        case .notStarted(let reason, let logTail):
            "PgBouncer did not start: \(reason)"
                + (logTail.isEmpty ? "; its log is empty" : "; the end of its log:\n" + logTail.joined(separator: "\n"))
        case .portTaken(let port):
            "another process listens on 127.0.0.1:\(port), the port of the rig's PgBouncer; find it with: ss -tlnp"
        case .notRunning: "PgBouncer does not run, so it cannot be stopped"
        case .console(let command, let sqlState, let message):
            "PgBouncer's console to \"\(command)\": " + (sqlState.map { "\($0): " } ?? "") + message
        case .notStopped(let failure): "PgBouncer could not be stopped: \(failure)"
        case .folder(let error): "cannot make PgBouncer's folder: \(error)"
        case .journal(let error): "\(error)"
        }
    }
}
