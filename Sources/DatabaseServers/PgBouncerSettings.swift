/// For how long a PgBouncer lends a server connection to a client.
package enum Pooling: String, Sendable, CaseIterable {
    /// As long as the client is connected.
    case session
    case transaction
}

/// The files of a private PgBouncer. Pure.
struct PgBouncerSettings {
    /// The database that the pool uses, and its name in PgBouncer.
    static let database = "postgres"
    /// One that nobody uses: work on it must disturb nobody.
    static let otherDatabase = "template1"

    var port: UInt16
    /// Where the console listens: beside the port that clients use, so that nobody takes the rig's looks for a client.
    var socketFolder: String
    var usersFile: String
    var serverPort: UInt16
    var pooling: Pooling
    var poolSize: Int
    var maxClients: Int
    /// Who may use the console.
    var administrator: String

    var text: String {
        let settings: [(String, String)] = [
            ("listen_addr", "127.0.0.1"),
            ("listen_port", "\(port)"),
            ("unix_socket_dir", socketFolder),
            ("auth_type", "trust"),
            ("auth_file", usersFile),
            ("admin_users", administrator),
            ("pool_mode", pooling.rawValue),
            ("default_pool_size", "\(poolSize)"),
            ("max_client_conn", "\(maxClients)"),
            // PgBouncer's own value is 15 s: after one failed login nobody gets through for so long, whatever the server
            // does. Who cares for short outages sets it low.
            ("server_login_retry", "1"),
        ]
        return """
            [databases]
            \(Self.database) = host=127.0.0.1 port=\(serverPort) dbname=\(Self.database)
            \(Self.otherDatabase) = host=127.0.0.1 port=\(serverPort) dbname=\(Self.otherDatabase)
            [pgbouncer]

            """ + settings.map { "\($0) = \($1)\n" }.joined()
    }

    /// Everybody whom it lets in, without a password: it listens on loopback only.
    static func users(_ names: [String]) -> String { names.map { "\"\($0)\" \"\"\n" }.joined() }
}
