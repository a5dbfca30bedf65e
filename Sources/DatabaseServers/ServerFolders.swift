import Glibc
import HostSystem

/// Where a private server keeps its things.
struct ServerFolders: Sendable {
    let root: String
    var data: String { "\(root)/data" }
    /// Short: the path of a socket has 107 bytes at most.
    var sockets: String { "\(root)/s" }
    var certificates: String { "\(root)/tls" }
    var configuration: String { "\(data)/postgresql.conf" }
    var accessRules: String { "\(data)/pg_hba.conf" }
    /// A recovery goes on while this file exists.
    var hold: String { "\(root)/hold" }
    /// Tells the server to begin with an archive recovery. It removes it at the end of that.
    var recoverySignal: String { "\(data)/recovery.signal" }

    /// Lets clients of a network log in as those of loopback may: `10.77.0.0/29`.
    func letIn(_ clients: String) throws(ServerError) {
        let line = Array("host all all \(clients) trust\n".utf8)
        do throws(SystemError) {
            guard let rules = SmallFile.bytes(accessRules) else { throw SystemError("read \(accessRules)") }
            try SmallFile.write(rules + line, to: accessRules)
        } catch {
            throw .folder(error)
        }
    }

    /// Makes them. When the server runs as another user they belong to that one; everybody may pass to the sockets.
    func make(for user: ProcessUser?) throws(SystemError) {
        for (path, mode) in [(root, 0o711), (data, 0o700), (sockets, 0o755)] as [(String, UInt32)] {
            try SmallFile.makeFolder(path, mode: mode)
            try Self.give(path, to: user)
        }
    }

    /// Lets the server's user own a file or folder that this process has made.
    static func give(_ path: String, to user: ProcessUser?) throws(SystemError) {
        if let user, chown(path, user.uid, user.gid) != 0 { throw SystemError("give \(path) to \(user.name)") }
    }
}

extension ProcessUser {
    /// As whom a server runs: PostgreSQL refuses root.
    ///
    /// - Returns: `nil` when this process is not root and can run it as itself.
    static func forServer() throws(ServerError) -> ProcessUser? {
        guard geteuid() == 0 else { return nil }
        let names = ["postgres", "nobody"]
        guard let user = names.lazy.compactMap(ProcessUser.named).first(where: { $0.uid != 0 }) else {
            throw .noUnprivilegedUser(tried: names)
        }
        return user
    }
}
