import Glibc
import Synchronization
import Threading

/// What the relay's thread and its owner share. Thread-safe.
final class RelayShared: Sendable {
    let toxics = ToxicSwitch()
    let counters = RelayCounters()
    private let stopping = Atomic<Bool>(false)
    /// An eventfd; `nil` while the thread does not run.
    private let wakeup = Lock<Int32?>(nil)

    /// - Parameter descriptor: an eventfd, which now belongs to this object.
    func attachWakeup(_ descriptor: Int32) { wakeup.withLock { $0 = descriptor } }

    var isStopping: Bool { stopping.load(ordering: .acquiring) }

    func requestStop() {
        stopping.store(true, ordering: .releasing)
        wake()
    }

    /// Makes the thread look at the toxic and at ``isStopping``.
    func wake() {
        // An eventfd never blocks here: it counts to 2^64 - 2. The lock keeps the descriptor from being closed, and its
        // number from being somebody else's, in between.
        wakeup.withLock { descriptor in
            guard let descriptor else { return }
            var one: UInt64 = 1
            _ = write(descriptor, &one, 8)
        }
    }

    func closeWakeup() {
        wakeup.withLock { if let descriptor = $0.take() { _ = close(descriptor) } }
    }
}

/// Counters that one thread writes and any thread reads.
final class RelayCounters: Sendable {
    let openPairs = Atomic<Int>(0)
    let accepted = Atomic<Int>(0)
    let refused = Atomic<Int>(0)
    let descriptorShortages = Atomic<Int>(0)
    let bytesToServer = Atomic<Int>(0)
    let bytesToClient = Atomic<Int>(0)
}

/// What a relay has done since its start.
package struct RelayStatistics: Sendable, Equatable {
    /// Pairs of connections that exist now, those that are being dialled included.
    package var openPairs: Int
    /// Clients accepted.
    package var accepted: Int
    /// Clients that were reset because the server could not be reached.
    package var refused: Int
    /// Times that this process had no descriptor left for a client or its way to the server: the relay's own trouble,
    /// not the server's. The clients wait, or are reset.
    package var descriptorShortages: Int
    /// Bytes forwarded.
    package var bytesToServer: Int
    package var bytesToClient: Int

    package init(
        openPairs: Int = 0, accepted: Int = 0, refused: Int = 0, descriptorShortages: Int = 0, bytesToServer: Int = 0,
        bytesToClient: Int = 0
    ) {
        self.openPairs = openPairs
        self.accepted = accepted
        self.refused = refused
        self.descriptorShortages = descriptorShortages
        self.bytesToServer = bytesToServer
        self.bytesToClient = bytesToClient
    }
}
