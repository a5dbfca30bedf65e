import Dispatch
import Glibc
import Synchronization
import Threading

/// A relay between clients and a server: one listening address, one way on. Thread-safe.
///
/// It works on threads of its own, so its stalls and those of a pool cannot be mistaken for each other.
///
/// **What a client sees of a dead server.** The kernel accepts on the relay's behalf, so `connect` succeeds. The relay
/// then dials the server before it reads a byte from the client, and resets the client (RST) when the server refuses or
/// does not answer within ``Options/dialTimeout``: its first read or write fails with ECONNRESET (or EPIPE), not
/// `connect` with ECONNREFUSED. A server that goes away later looks as it would without the relay: its FIN or RST
/// follows the last byte that it sent. With ``Options/dialsFirst`` a dead server refuses.
package final class Relay: ProxyRelay, @unchecked Sendable {
    // @unchecked: `running` is used inside `turn` only.

    package struct Options: Sendable {
        /// For the toss of toxicities.
        package var name = ""
        /// Which connections a toxic affects, and what its random numbers are.
        package var seed: UInt64 = 0
        package var dialTimeout = Duration.seconds(10)
        /// Listens only while it has a connection to the server at hand, so that a dead server refuses connections. The
        /// server sees one connection more than there are clients.
        package var dialsFirst = false
        /// Reads PostgreSQL's messages as they pass.
        package var inspectsWire = true
        /// What waits for a receiver that does not read, per direction, before the relay stops reading (back-pressure).
        package var bufferBytes = 256 << 10
        /// What toxics may hold per direction before the relay stops reading. It bounds the throughput of a connection
        /// under latency to this much per latency.
        package var heldBytes = 4 << 20
        /// What the kernel takes in from the server before the relay has read it; `nil`: as much as it likes, which may be many
        /// megabytes. The kernel doubles it. Not where the relay dials first.
        package var receiveBytes: Int?
        /// A client that went without a word (its packets were lost) is noticed after so long, as its kernel then answers no
        /// probe, or denies the connection; `nil`: never. Whole seconds.
        package var clientKeepalive: Duration?
        /// Told on a relay's thread, which waits for it: it must be quick, and call nothing of the relay.
        package var feed: (@Sendable (RelayEvent) -> Void)?

        package init() {}
    }

    private struct Running {
        let id: Int
        let address: SocketAddress
        /// `nil` where the thread that dials first has it.
        let socket: BoundSocket?
    }

    private static let nextListener = Atomic<Int>(0)

    private let listen: ProxyAddress
    private let threads: RelayThreads
    private let shared: RelayShared
    /// Whoever starts or stops it waits for the others.
    private let turn = Turn()
    private var running: Running?

    /// Asks the resolver where the server's address is a name; call it where that may take its time. A name without an address
    /// is no error: clients are reset until it has one.
    package init(listen: ProxyAddress, upstream: ProxyAddress, options: Options, threads: RelayThreads) {
        self.listen = listen
        self.threads = threads
        shared = RelayShared(options: options, upstream: Upstream(upstream))
    }

    deinit { stop() }

    package func start() throws(ProxyError) -> String {
        try turn.take { () throws(ProxyError) in
            if let running { return running.address.text }
            let address = try listen.resolve(isForListening: true)
            let id = Self.nextListener.add(1, ordering: .relaxed).newValue
            let shared = shared
            if shared.options.dialsFirst {
                let socket = try BoundSocket(address)
                let known = DispatchSemaphore(value: 0)
                threads.onAll { [first = threads.threads[0]] thread in
                    guard thread === first else { return }
                    thread.add(
                        DialFirstListener(relay: shared, listener: socket, id: id) { known.signal() })
                }
                // A client that comes at once must not be refused by a server that lives.
                _ = known.wait(timeout: .now() + 1)
                running = Running(id: id, address: socket.address, socket: nil)
            } else {
                let socket = try Sockets.listen(address)
                threads.onAll { $0.add(RelayListener(relay: shared, descriptor: socket.descriptor, id: id)) }
                running = Running(id: id, address: socket.address, socket: socket)
            }
            return running?.address.text ?? ""
        }
    }

    package func stop() {
        turn.take {
            guard let running else { return }
            self.running = nil
            let shared = shared
            threads.onAll { $0.removeSource(RelayListener.token(running.id)) }
            running.socket?.close()
            threads.onAll { thread in
                for link in thread.links(of: shared) { thread.end(link, .proxyStopped, isReset: false) }
            }
        }
    }

    /// Leads new connections there; those that exist stay where they are. Asks the resolver where it is a name.
    package func move(to upstream: ProxyAddress) { shared.upstream.move(to: upstream) }

    package func setToxics(_ toxics: [ActiveToxic]) {
        shared.change { $0.toxics = toxics }
        followOnAllThreads()
    }

    package func setCuts(_ cuts: [ActiveCut]) {
        shared.change { $0.cuts = cuts }
        shared.forgetBlindness()
        followOnAllThreads()
    }

    private func followOnAllThreads() {
        let shared = shared
        threads.onAll { thread in
            for link in thread.links(of: shared) where link.isOpen {
                thread.follow(link, .now)
                thread.enqueue(link)
            }
        }
    }

    /// Ends the sessions that these backends serve, both sides at the same moment. Needs ``Options/inspectsWire``, and a
    /// server that tells clients its backends' own pids.
    ///
    /// - Returns: the backends whose connection was found. O(connections).
    package func end(backends: Set<Int32>, _ manner: CloseManner) -> Set<Int32> {
        let shared = shared
        let found = Lock<Set<Int32>>([])
        threads.onAll { thread in
            for link in thread.links(of: shared) where link.isOpen && link.closingBy == nil {
                let facts = link.inspector.facts
                // A cancel request names a backend too, and is no session of it.
                guard facts.phase == .session, let pid = facts.backendPID, backends.contains(pid) else { continue }
                thread.cutOff(link, manner, .ended(manner))
                found.withLock { _ = $0.insert(pid) }
            }
        }
        return found.withLock { $0 }
    }

    package func connections() -> [RelayedConnection] {
        let shared = shared
        let found = Lock<[RelayedConnection]>([])
        threads.onAll { thread in
            let reports = thread.links(of: shared).map { $0.report() }
            found.withLock { $0 += reports }
        }
        return found.withLock { $0 }.sorted { $0.number < $1.number }
    }

    package var statistics: RelayStatistics {
        let counters = shared.counters
        var statistics = RelayStatistics()
        statistics.open = counters.open.load(ordering: .acquiring)
        statistics.accepted = counters.accepted.load(ordering: .relaxed)
        statistics.refused = counters.refused.load(ordering: .relaxed)
        statistics.reset = counters.reset.load(ordering: .relaxed)
        statistics.descriptorShortages = counters.descriptorShortages.load(ordering: .relaxed)
        statistics.upstreamReceived = counters.upstreamReceived.load(ordering: .relaxed)
        statistics.upstreamSent = counters.upstreamSent.load(ordering: .relaxed)
        statistics.downstreamReceived = counters.downstreamReceived.load(ordering: .relaxed)
        statistics.downstreamSent = counters.downstreamSent.load(ordering: .relaxed)
        return statistics
    }
}
