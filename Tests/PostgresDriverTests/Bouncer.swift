import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Threading

/// A PgBouncer of its own on a free port of 127.0.0.1, in transaction mode, with two servers for all clients.
final class Bouncer: Sendable {
    let port: UInt16
    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Throws: ``Missing`` when this machine has no PgBouncer: a test then fails, and says what to install.
    init(port serverPort: UInt16, role: String) throws {
        guard let program = findProgram("pgbouncer") else { throw Missing() }
        let listener = loopbackListener()
        port = portOf(listener)
        close(listener)
        folder = try TemporaryFolder()
        let path = folder.file("pgbouncer.ini")
        let text = """
            [databases]
            postgres = host=127.0.0.1 port=\(serverPort) dbname=postgres user=\(role)
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 2
            logfile = /dev/null

            """
        try Self.write(text, to: path)
        // It refuses to run as root, and must then be able to read its file.
        chmod(folder.path, 0o755)
        let user = geteuid() == 0 ? ProcessUser.named("postgres") : nil
        process = try ChildProcess(SpawnRequest(path: program, arguments: ["-q", path], user: user))
    }

    struct Missing: Error, CustomStringConvertible {
        var description: String {
            "this test needs PgBouncer: run scripts/install-missing build server poolers (Debian's package is pgbouncer)"
        }
    }

    var url: String { "postgresql://anyone@127.0.0.1:\(port)/postgres?sslmode=disable&gssencmode=disable" }

    /// Returns when it takes connections.
    func untilListening() async throws {
        let deadline = MonotonicInstant.soon
        while !takesConnections(), process.isRunning, .now < deadline {
            _ = await process.wait(within: .milliseconds(20))
        }
        guard process.isRunning else { throw Missing() }
    }

    /// Ends it at once.
    func stop() {
        process.signal(SIGKILL)
        _ = process.waitBlocking(until: .soon)
    }

    private func takesConnections() -> Bool {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(client) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw SystemError("make \(path)") }
        defer { close(file) }
        let bytes = Array(text.utf8)
        guard Glibc.write(file, bytes, bytes.count) == bytes.count else { throw SystemError("write \(path)") }
    }
}
