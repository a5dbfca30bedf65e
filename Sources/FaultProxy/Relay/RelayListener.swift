import CLinux
import Glibc
import Threading

/// The listening socket of a relay on one of its threads. Used by that thread.
final class RelayListener {
    static let pauseAfterFullTable = Duration.milliseconds(50)
    private static let events = clinux_EPOLLIN | clinux_EPOLLEXCLUSIVE

    let relay: RelayShared
    let descriptor: Int32
    let token: UInt64
    private var isWatched = false

    init(relay: RelayShared, descriptor: Int32, id: Int) {
        self.relay = relay
        self.descriptor = descriptor
        token = RelayThread.Token.listenerMark | UInt64(id)
    }

    func begin(on thread: RelayThread) {
        thread.listeners[token] = self
        timeHasCome(on: thread)
    }

    func end(on thread: RelayThread) {
        if isWatched { thread.unwatch(descriptor) }
        isWatched = false
        thread.listeners[token] = nil
    }

    /// No descriptor to be had: leaves the clients in the kernel's queue for a while instead of spinning.
    func pause(on thread: RelayThread) {
        if isWatched { thread.unwatch(descriptor) }
        isWatched = false
        thread.plan(token, at: .now.advanced(by: Self.pauseAfterFullTable))
    }

    /// Level-triggered: clients that came in the meantime are reported at once.
    func timeHasCome(on thread: RelayThread) {
        guard !isWatched else { return }
        isWatched = thread.watch(descriptor, Self.events, token)
        if !isWatched { thread.plan(token, at: .now.advanced(by: Self.pauseAfterFullTable)) }
    }
}
