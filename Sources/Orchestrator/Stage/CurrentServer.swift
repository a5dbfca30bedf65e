import DatabaseServers
import PostgresDriver
import Threading

/// The private server that is the primary now, and the ways to it. Thread-safe.
final class CurrentServer: Sendable {
    private let current: Lock<ManagedPostgres>
    /// For connections like the pool's, and for those of the rig over the Unix socket.
    let direct = PostgresRoute()
    let rig = PostgresRoute()

    init(_ server: ManagedPostgres) { current = Lock(server) }

    var server: ManagedPostgres { current.withLock { $0 } }

    /// The standby has become the primary.
    func move(to server: ManagedPostgres) {
        current.withLock { $0 = server }
        direct.endpoint = PostgresEndpoint(host: "127.0.0.1", port: server.port)
        rig.endpoint = PostgresEndpoint(host: server.socketDirectory, port: server.port)
    }
}
