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

    /// Starts one, and waits until it takes connections.
    ///
    /// - Throws: ``Missing`` when this machine has no PgBouncer: a test then fails, and says what to install.
    static func started(port serverPort: UInt16, role: String) async throws -> Bouncer {
        guard let program = findProgram("pgbouncer") else { throw Missing() }
        let words = try await runProgram(path: program, arguments: ["-V"]).standardOutput
        // "PgBouncer 1.18.0"; since 1.21 it can keep prepared statements itself, and since 1.24 it does so unasked.
        let version = words.split(whereSeparator: \.isWhitespace).dropFirst().first?.split(separator: ".") ?? []
        let isNew = version.count >= 2 && (Int(version[0]) ?? 0, Int(version[1]) ?? 0) >= (1, 21)
        var attempts = 0
        while true {
            let bouncer = try Bouncer(
                program: program, settings: isNew ? "max_prepared_statements = 0" : "", port: serverPort, role: role)
            if await bouncer.isListening() { return bouncer }
            bouncer.stop()
            attempts += 1
            // Somebody else took its port between the look and its start.
            guard attempts < 10 else { throw NotStarted() }
        }
    }

    private init(program: String, settings: String, port serverPort: UInt16, role: String) throws {
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
            \(settings)

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

    struct NotStarted: Error, CustomStringConvertible {
        var description: String {
            "PgBouncer ended at once on each of ten ports: run it with its file, and read what it says"
        }
    }

    var url: String { "postgresql://anyone@127.0.0.1:\(port)/postgres?sslmode=disable&gssencmode=disable" }

    /// Returns when it takes connections: `true`; or has ended before.
    private func isListening() async -> Bool {
        let deadline = MonotonicInstant.soon
        while process.isRunning, .now < deadline {
            if takesConnections() { return process.isRunning }
            _ = await process.wait(within: .milliseconds(20))
        }
        return false
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
