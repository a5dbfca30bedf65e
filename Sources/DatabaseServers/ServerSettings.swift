/// How much a private server does for a crash of the whole machine.
package enum Durability: Sendable {
    /// `fsync=off`. Safe for every fault of the rig: they end processes, not the operating system. What a commit has
    /// written is in the kernel's page cache, and that outlives the process. `synchronous_commit` stays on, so a commit is
    /// acknowledged only after its WAL was written (into that cache); and full-page writes stay on, because a SIGKILL
    /// may cut an 8 KiB write between two of the kernel's 4 KiB pages. A power cut may lose the database, and nothing
    /// else: it is temporary.
    case fast
    /// PostgreSQL's own defaults.
    case full
}

/// What is appended to the `postgresql.conf` of a private server. In the file and not on the command line, so that a
/// fault can change a setting with ALTER SYSTEM.
package struct ServerSettings {
    var port: UInt16
    var socketFolder: String
    var maxConnections: Int
    var durability: Durability
    /// Further settings, name and value, which win over those above.
    var extra: [(name: String, value: String)]
    /// Where it listens.
    var addresses = ["127.0.0.1"]

    package init(
        port: UInt16, socketFolder: String, maxConnections: Int, durability: Durability,
        extra: [(name: String, value: String)] = []
    ) {
        self.port = port
        self.socketFolder = socketFolder
        self.maxConnections = maxConnections
        self.durability = durability
        self.extra = extra
    }

    package var text: String {
        var settings: [(String, String)] = [
            ("listen_addresses", addresses.joined(separator: ",")),
            ("port", "\(port)"),
            ("unix_socket_directories", socketFolder),
            ("max_connections", "\(maxConnections)"),
            ("shared_buffers", "32MB"),
            ("max_wal_size", "512MB"),
            // Files in the data directory instead of /dev/shm: they go with the folder, also after a SIGKILL.
            ("dynamic_shared_memory_type", "mmap"),
            ("logging_collector", "off"),
            ("log_destination", "stderr"),
            ("log_line_prefix", "%m [%p] %a "),
            ("synchronous_commit", "on"),
        ]
        if durability == .fast { settings.append(("fsync", "off")) }
        return "\n# chaosrig\n"
            + (settings + extra.map { ($0.name, $0.value) }).map { "\($0) = '\(Self.escaped($1))'\n" }.joined()
    }

    /// In postgresql.conf a quote is doubled, and a backslash begins an escape.
    private static func escaped(_ value: String) -> String {
        value.map { $0 == "'" ? "''" : $0 == "\\" ? "\\\\" : String($0) }.joined()
    }
}
