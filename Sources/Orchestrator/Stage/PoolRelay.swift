import FaultProxy
import HostSystem
import Threading

/// The relay between the pool under test and its server, on a free port of 127.0.0.1, with threads of its own. Thread-safe.
final class PoolRelay: Sendable {
    let relay: Relay
    let port: UInt16
    private let threads: RelayThreads

    /// - Parameter network: where it listens, on all addresses, and connects from; the rig's own, on loopback, when `nil`. The
    ///   calling thread is moved there: let it end.
    /// - Throws: ``FaultProxy/ProxyError``. May ask the resolver: not on a thread of the cooperative pool.
    init(to upstream: ProxyAddress, options: Relay.Options, network: NetworkNamespace?) throws(ProxyError) {
        do { try network?.enter() } catch {
            throw .listenFailed(address: "the server's network", reason: "\(error)")
        }
        // One thread is enough for a pool, and leaves the machine to the pool and its server. It may go where this one is.
        threads = try RelayThreads(count: 1) { try? network?.enter() }
        do throws(ProxyError) {
            relay = Relay(
                listen: .tcp(host: network == nil ? "127.0.0.1" : "", port: 0), upstream: upstream, options: options,
                threads: threads)
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
