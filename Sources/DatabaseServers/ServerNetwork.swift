package import HostSystem

/// A network of the run's own that a private server lives in, apart from the rig's: packets between them pass devices of the
/// run's own. The rig's own connections use the server's Unix socket, which is in no network.
package struct ServerNetwork: Sendable {
    package var namespace: NetworkNamespace
    /// Where the server listens, beside its own loopback; the first is the one to connect to.
    package var addresses: [String]
    /// From where clients come, for `pg_hba.conf`: `10.77.0.0/29`.
    package var clients: String

    /// A server that is cut off must give up a client that it cannot hear in seconds, not in two hours: the rig tells sessions
    /// that the pool leaked from those that are only cut off by their end.
    static let settings: [(name: String, value: String)] = [
        ("tcp_keepalives_idle", "1"), ("tcp_keepalives_interval", "1"), ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "3s"),
    ]

    package init(namespace: NetworkNamespace, addresses: [String], clients: String) {
        self.namespace = namespace
        self.addresses = addresses
        self.clients = clients
    }
}
