package import HostSystem

/// A private server that cannot be had, or does not do what it was told.
///
/// While a run is set up every case means exit code 3: this machine lacks something. A start that fails when a fault is
/// healed means exit code 5.
package enum ServerError: Error, CustomStringConvertible {
    /// There are no server programs. With every place that was looked at and why it did not do.
    case noServerBinaries(lookedAt: [String])
    /// The programs are there, of a version that the rig does not know.
    case unsupportedVersion(text: String, binFolder: String)
    /// PostgreSQL refuses to run as root, and there is no other user to run it as.
    case noUnprivilegedUser(tried: [String])
    /// Every port in the range is taken or used by the kernel for outgoing connections.
    case noFreePort(range: ClosedRange<UInt16>)
    /// `initdb` failed.
    case notInitialised(reason: String)
    /// The certificates of its TLS could not be made.
    case noCertificate(reason: String)
    /// The copy of another server could not be made.
    case notCopied(reason: String)
    /// The server ended, or did not become ready in time. With the end of its log.
    case notStarted(reason: String, logTail: [String])
    /// The server is there, but another process listens on its port.
    case portTaken(port: UInt16)
    /// A shutdown was asked of a server that does not run.
    case notRunning
    /// Something of the server is left.
    case notStopped(UndoFailure)
    /// A folder or file of the server could not be made.
    case folder(SystemError)
    /// The journal refused, so nothing was started.
    case journal(any Error)

    package var description: String {
        switch self {
        case .noServerBinaries(let lookedAt):
            "no PostgreSQL server programs (initdb and postgres) found; install them (Debian, Ubuntu: "
                + "apt-get install postgresql) or name their folder in CHAOSRIG_PG_BINDIR. Looked at: "
                + lookedAt.joined(separator: "; ")
        case .unsupportedVersion(let text, let binFolder):
            "\(binFolder) holds \(text), but the rig works with PostgreSQL 13 to 18; name another folder in "
                + "CHAOSRIG_PG_BINDIR"
        case .noUnprivilegedUser(let tried):
            "PostgreSQL does not run as root, and this machine has none of the users \(tried.joined(separator: ", ")): "
                + "make one, or run the rig as an ordinary user"
        case .noFreePort(let range):
            "no free TCP port on 127.0.0.1 between \(range.lowerBound) and \(range.upperBound) outside "
                + "net.ipv4.ip_local_port_range"
        case .notInitialised(let reason):
            "cannot make a database: \(reason)"
        case .noCertificate(let reason):
            "cannot make a certificate for the PostgreSQL server: \(reason)"
        case .notCopied(let reason):
            "cannot make a standby: \(reason)"
        case .notStarted(let reason, let logTail):
            "the PostgreSQL server did not start: \(reason)"
                + (logTail.isEmpty ? "; its log is empty" : "; the end of its log:\n" + logTail.joined(separator: "\n"))
        case .portTaken(let port):
            "another process listens on 127.0.0.1:\(port), the port of the rig's server; find it with: ss -tlnp"
        case .notRunning:
            "the PostgreSQL server does not run, so it cannot be shut down"
        case .notStopped(let failure):
            "the PostgreSQL server could not be stopped: \(failure)"
        case .folder(let error):
            "cannot make the server's folders: \(error)"
        case .journal(let error):
            "\(error)"
        }
    }
}
