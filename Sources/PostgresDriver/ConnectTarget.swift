/// A server to try: the name for libpq (and a TLS certificate), and where to connect.
struct ConnectTarget: Sendable, Equatable {
    var name: String
    var endpoint: PostgresEndpoint
}

/// A target whose address is known, so that libpq need not look anything up, which would block its thread.
struct ConnectPlace: Sendable, Equatable {
    /// libpq's `host`: a name, or the directory of a Unix socket.
    var name: String
    /// libpq's `hostaddr`; `nil` for a Unix socket.
    var address: String?
    var port: UInt16
}
