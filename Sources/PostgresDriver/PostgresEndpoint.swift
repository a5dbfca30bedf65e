/// Where a PostgreSQL server listens: a TCP host, or the directory of a Unix socket, and a port.
package struct PostgresEndpoint: Sendable, Equatable, CustomStringConvertible {
    /// A host name, a numeric address, or a directory (begins with `/`); empty for libpq's default socket directory.
    package var host: String
    /// Also part of a Unix socket's file name.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Whether `host` is the directory of a Unix socket (or, with `@`, an abstract one, or the default).
    package var isUnixSocket: Bool { host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") }

    package var description: String {
        if isUnixSocket { return "\(host)/.s.PGSQL.\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
