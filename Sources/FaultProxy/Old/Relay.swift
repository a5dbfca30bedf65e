import CLinux
import Glibc
import RigModel
import Synchronization
import Threading

/// A TCP relay on 127.0.0.1 between a client and a server, with a toxic in both directions. Thread-safe.
///
/// ```swift
/// let relay = Relay(.init(upstream: .tcp(address: "127.0.0.1", port: 5432), seed: seed))
/// try relay.start()
/// defer { relay.stop() }
/// relay.apply(OldLatencyToxic(latency: .milliseconds(50), jitter: .milliseconds(5)))
/// ```
///
/// It has a thread of its own, so its stalls and those of the pool cannot be mistaken for each other.
///
/// **What a client sees of a dead server.** The kernel accepts on the relay's behalf, so `connect` succeeds. The relay
/// then dials the server before it reads a byte from the client, and resets the client (RST) when the server refuses or
/// does not answer within ``Configuration/dialTimeout``: its first read or write fails with ECONNRESET (or EPIPE), not
/// `connect` with ECONNREFUSED. A server that goes away later looks as it would without the relay: its FIN or RST
/// follows the last byte that it sent.
package final class Relay: Sendable {
    package struct Configuration: Sendable, Equatable {
        package var upstream: RelayUpstream
        /// The port on 127.0.0.1; 0 for one that is free.
        package var port: UInt16
        /// How much each direction of a connection may hold before the relay stops reading (back-pressure). It bounds
        /// the throughput of a connection under latency to this much per latency.
        package var bufferBytes: Int
        package var dialTimeout: Duration
        /// The toxics' random numbers come from here: one stream per connection and direction.
        package var seed: UInt64

        package init(
            upstream: RelayUpstream, port: UInt16 = 0, bufferBytes: Int = 256 << 10,
            dialTimeout: Duration = .seconds(10), seed: UInt64 = 0
        ) {
            self.upstream = upstream
            self.port = port
            self.bufferBytes = bufferBytes
            self.dialTimeout = dialTimeout
            self.seed = seed
        }
    }

    private enum State {
        /// Next: `running` or `stopped`.
        case new
        /// Next: `stopped`.
        case running(ServiceThread)
        /// Next: nothing.
        case stopped
    }

    package let configuration: Configuration
    private let state = Lock(State.new)
    private let shared = RelayShared()
    private let boundPort = Lock<UInt16>(0)

    package init(_ configuration: Configuration) {
        precondition(configuration.bufferBytes > 0, "a relay needs a buffer of at least 1 byte")
        self.configuration = configuration
    }

    deinit { stop() }

    /// Listens and starts the thread. A relay can be started once.
    package func start() throws(RelayError) {
        try state.withLock { (state) throws(RelayError) in
            guard case .new = state else { throw .startedBefore }
            state = .running(try launch())  // Inside the lock, because nothing in it waits.
        }
    }

    private func launch() throws(RelayError) -> ServiceThread {
        let upstream = try configuration.upstream.socketAddress()
        let (listener, port) = try Sockets.listen(port: configuration.port)
        let wakeup = eventfd(0, O_NONBLOCK | O_CLOEXEC)
        guard wakeup >= 0 else {
            let error = errno
            close(listener)
            throw .systemCallFailed("eventfd", error: error)
        }
        shared.attachWakeup(wakeup)
        do throws(RelayError) {
            let loop = try RelayLoop(
                configuration: configuration, upstream: upstream, listener: listener, wakeup: wakeup, shared: shared)
            boundPort.withLock { $0 = port }
            return ServiceThread(name: "relay") { loop.run() }
        } catch {
            shared.closeWakeup()
            throw error
        }
    }

    /// Closes every connection and the listener and waits for the thread, which takes moments; held bytes are dropped.
    /// Does nothing when it does not run.
    package func stop() {
        let thread = state.withLock { state -> ServiceThread? in
            defer { state = .stopped }
            guard case .running(let thread) = state else { return nil }
            return thread
        }
        guard let thread else { return }
        shared.requestStop()
        thread.join()
        shared.closeWakeup()
    }

    /// The port on 127.0.0.1; 0 when the relay was never started.
    package var port: UInt16 { boundPort.withLock { $0 } }

    /// Sets or replaces the toxic, for existing and new connections, and starts ``delayedChunks()`` anew. Chunks that
    /// are read after this call has returned pass the new toxic; those already held keep their time, except that the
    /// ones which an earlier toxic held without end go on.
    package func apply(_ toxic: any HoldingToxic) {
        shared.toxics.set(toxic)
        shared.wake()
    }

    /// Removes the toxic. Everything that is held goes on at once, in order.
    package func removeToxic() {
        shared.toxics.remove()
        shared.wake()
    }

    /// The chunks that went on after a hold by the toxic, since it was set, and the median of how long they were really
    /// held (at most 0.8 % too high); a chunk that was released early counts with its real hold. Kept after the removal.
    package func delayedChunks() -> (count: Int, medianHold: Duration) {
        let holds = shared.toxics.holds
        return (Int(clamping: holds.count), .nanoseconds(holds.nanoseconds(atQuantile: 0.5) ?? 0))
    }

    /// Zeros before the start; the last figures after the stop.
    package var statistics: RelayStatistics {
        let counters = shared.counters
        return RelayStatistics(
            openPairs: counters.openPairs.load(ordering: .acquiring),
            accepted: counters.accepted.load(ordering: .relaxed), refused: counters.refused.load(ordering: .relaxed),
            descriptorShortages: counters.descriptorShortages.load(ordering: .relaxed),
            bytesToServer: counters.bytesToServer.load(ordering: .relaxed),
            bytesToClient: counters.bytesToClient.load(ordering: .relaxed))
    }
}
