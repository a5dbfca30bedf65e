import FaultProxy
import Threading

/// The relay between the pool under test and its server, on a free port of 127.0.0.1, with threads of its own. Thread-safe.
final class PoolRelay: Sendable {
    let relay: Relay
    let port: UInt16
    private let threads: RelayThreads

    /// - Throws: ``FaultProxy/ProxyError``. May ask the resolver: not on a thread of the cooperative pool.
    init(to upstream: ProxyAddress, options: Relay.Options) throws(ProxyError) {
        // One thread is enough for a pool, and leaves the machine to the pool and its server.
        threads = try RelayThreads(count: 1)
        do throws(ProxyError) {
            relay = Relay(
                listen: .tcp(host: "127.0.0.1", port: 0), upstream: upstream, options: options, threads: threads)
            port = try ProxyAddress(relay.start()).port
        } catch {
            threads.stop()
            throw error
        }
    }

    /// Closes all connections, and ends the threads. Takes moments.
    func stop() {
        relay.stop()
        threads.stop()
    }
}
