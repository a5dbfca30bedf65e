import CLinux
import Glibc
import Threading

/// The listening socket of a relay on one of its threads: accepts, then dials.
final class RelayListener: RelaySource {
    private static let pauseAfterFullTable = Duration.milliseconds(50)
    /// Clients taken at once, so that the others of a burst go to other threads.
    private static let acceptsPerTurn = 8
    private static let events = clinux_EPOLLIN | clinux_EPOLLEXCLUSIVE

    private let relay: RelayShared
    private let descriptor: Int32
    private let token: UInt64
    private var isWatched = false

    /// - Parameter id: of this relay's run, in all threads.
    init(relay: RelayShared, descriptor: Int32, id: Int) {
        self.relay = relay
        self.descriptor = descriptor
        token = Self.token(id)
    }

    static func token(_ id: Int) -> UInt64 { RelayThread.Token.sourceMark | UInt64(id) << 2 }

    var tokens: [UInt64] { [token] }

    func begin(on thread: RelayThread) { timeHasCome(on: thread) }

    func end(on thread: RelayThread) {
        if isWatched { thread.unwatch(descriptor) }
        isWatched = false
    }

    func handle(_ events: UInt32, _ token: UInt64, on thread: RelayThread) {
        for _ in 0..<Self.acceptsPerTurn {
            if DescriptorReserve.isShort { return pause(on: thread) }
            let client = clinux_accept_nonblocking(descriptor)
            if client >= 0 {
                // Noted first: others must not accept while this one's way to the server is opened.
                let isOfReserve = DescriptorReserve.has(client)
                thread.open(client, relay)
                if isOfReserve { return pause(on: thread) }
                continue
            }
            switch errno {
            case EAGAIN: return
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                DescriptorReserve.noteShortage()
                return pause(on: thread)
            default: continue  // That one client is gone already.
            }
        }
    }

    /// Leaves the clients in the kernel's queue for a while instead of spinning.
    private func pause(on thread: RelayThread) {
        relay.noteDescriptorShortage()
        end(on: thread)
        thread.plan(token, at: .now.advanced(by: Self.pauseAfterFullTable))
    }

    /// Level-triggered: clients that came in the meantime are reported at once.
    func timeHasCome(on thread: RelayThread) {
        guard !isWatched else { return }
        isWatched = !DescriptorReserve.isShort && thread.watch(descriptor, Self.events, token)
        if !isWatched { thread.plan(token, at: .now.advanced(by: Self.pauseAfterFullTable)) }
    }
}
