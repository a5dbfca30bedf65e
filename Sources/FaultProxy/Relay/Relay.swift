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
package final class Relay: ProxyRelay {
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
        /// Told on a relay's thread, which waits for it: it must be quick, and call nothing of the relay.
        package var feed: (@Sendable (RelayEvent) -> Void)?

        package init() {}
    }

    private enum State {
        case stopped
        case running(listener: Int32, id: Int, path: String?)
    }

    private static let nextListener = Atomic<Int>(0)

    private let listen: ProxyAddress
    private let threads: RelayThreads
    private let shared: RelayShared
    /// Held while it starts or stops, which nothing else waits for.
    private let state = Lock(State.stopped)

    /// Asks the resolver where the server's address is a name; call it where that may take its time. A name without an address
    /// is no error: clients are reset until it has one.
    package init(listen: ProxyAddress, upstream: ProxyAddress, options: Options, threads: RelayThreads) {
        self.listen = listen
        self.threads = threads
        shared = RelayShared(options: options, upstream: Upstream(upstream))
    }

    deinit { stop() }

    package func start() throws(ProxyError) -> String {
        try state.withLock { (state) throws(ProxyError) in
            if case .running(let listener, _, _) = state { return Self.boundAddress(listener) }
            let address = try listen.resolve(isForListening: true)
            let dialsFirst = shared.options.dialsFirst
            let listener = try Sockets.bind(address, listens: !dialsFirst)
            let id = Self.nextListener.add(1, ordering: .relaxed).newValue
            let shared = shared
            threads.onAll { [first = threads.threads[0]] thread in
                if !dialsFirst {
                    thread.add(RelayListener(relay: shared, descriptor: listener, id: id))
                } else if thread === first {
                    thread.add(DialFirstListener(relay: shared, descriptor: listener, id: id))
                }
            }
            state = .running(listener: listener, id: id, path: address.family == AF_UNIX ? address.text : nil)
            return Self.boundAddress(listener)
        }
    }

    private static func boundAddress(_ listener: Int32) -> String {
        SocketAddress(of: listener, getsockname)?.text ?? ""
    }

    package func stop() {
        state.withLock { state in
            guard case .running(let listener, let id, let path) = state else { return }
            state = .stopped
            let shared = shared
            threads.onAll { $0.removeSource(RelayListener.token(id)) }
            close(listener)
            if let path { unlink(path) }
            threads.onAll { thread in
                for link in thread.links(of: shared) { thread.end(link, .proxyStopped, isReset: false) }
            }
        }
    }

    package func setToxics(_ toxics: [ActiveToxic]) {
        shared.change { $0.toxics = toxics }
        followOnAllThreads()
    }

    package func setCuts(_ cuts: [ActiveCut]) {
        shared.change { $0.cuts = cuts }
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
