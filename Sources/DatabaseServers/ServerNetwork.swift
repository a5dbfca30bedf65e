package import HostSystem

/// A network of the run's own that a private server lives in, apart from the rig's: packets between them pass devices of the
/// run's own. The rig's own connections use the server's Unix socket, which is in no network.
package struct ServerNetwork: Sendable {
    package var namespace: NetworkNamespace
    /// Where the server listens, beside its own loopback; the first is the one to connect to.
    package var addresses: [String]
    /// From where clients come, for `pg_hba.conf`: `10.77.0.0/29`.
    package var clients: String

    package init(namespace: NetworkNamespace, addresses: [String], clients: String) {
        self.namespace = namespace
        self.addresses = addresses
        self.clients = clients
    }
}
