import CLinux
import FaultInjection
import HostSystem
import Threading

/// On a private stage: the server's name, a name server that knows it, and the files that lead every program here to it. The
/// files are covered for this stage only; the machine's own stay as they are.
final class PrivateNames: Sendable {
    /// Reserved for tests (RFC 6761): no name server of the world knows it.
    static let host = "db.chaosrig.test"

    let server: NameServer
    private let covered = Lock<[String]>([])

    /// - Parameter folder: of the run; files are put there.
    /// - Throws: why not. Nothing stays covered then.
    init(address: String, folder: String) throws(SystemError) {
        server = try NameServer(name: Self.host, address: address)
        do throws(SystemError) {
            for (path, text) in Self.files() {
                let source = "\(folder)/\(path.split(separator: "/").last ?? "names")"
                try SmallFile.write(Array(text.utf8), to: source)
                guard clinux_cover_file(source, path) == 0 else { throw SystemError("cover \(path)") }
                covered.withLock { $0.append(path) }
            }
        } catch {
            stop()
            throw error
        }
    }

    deinit { stop() }

    /// Idempotent.
    func stop() {
        let paths = covered.withLock { covered in
            defer { covered = [] }
            return covered
        }
        for path in paths.reversed() { _ = clinux_uncover_file(path) }
        server.stop()
    }

    /// What programs here read instead, as far as this machine has such files.
    private static func files() -> [(path: String, text: String)] {
        var files = [
            ("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n"),
            ("/etc/hosts", "127.0.0.1 localhost\n"),
        ]
        // Services of the machine that look names up for others (systemd-resolved) know nothing of the stage.
        if let services = SmallFile.text("/etc/nsswitch.conf") {
            files.append(("/etc/nsswitch.conf", HostServices.filesAndDNS(services)))
        }
        return files.filter { SmallFile.isPlain($0.0) }
    }
}

/// The lines of nsswitch.conf. Pure.
enum HostServices {
    /// The same, with names of hosts looked up in the file of hosts and at the name server only.
    static func filesAndDNS(_ text: String) -> String {
        let others = text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            !line.drop { $0 == " " || $0 == "\t" }.hasPrefix("hosts:")
        }
        return others.joined(separator: "\n") + "\nhosts: files dns\n"
    }
}
