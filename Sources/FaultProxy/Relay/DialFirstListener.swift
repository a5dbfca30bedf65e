import CLinux
import Glibc
import Threading

/// The listening socket of a relay that dials before it accepts: it listens only while it has a connection to the server at
/// hand, so that a dead server looks dead (connection refused), and not "connected, then reset".
///
/// The server sees one connection more than there are clients; it says nothing on it. On one thread only.
final class DialFirstListener: RelaySource {
    private static let pauseAfterFailure = Duration.milliseconds(100)

    private let relay: RelayShared
    /// Bound; listens while the server can be reached, and is watched while a spare connection is ready.
    private let descriptor: Int32
    private let listenerToken: UInt64
    private let spareToken: UInt64
    private var isListening = false
    /// On its way to the server, or there.
    private var spare: Endpoint?
    private var isSpareReady = false
    private var dialled: SocketAddress?
    private var dialDeadline = MonotonicInstant(nanoseconds: 0)
    private var dialAgainAt: MonotonicInstant?

    init(relay: RelayShared, descriptor: Int32, id: Int) {
        self.relay = relay
        self.descriptor = descriptor
        listenerToken = RelayListener.token(id)
        spareToken = listenerToken | 1
    }

    var tokens: [UInt64] { [listenerToken, spareToken] }

    func begin(on thread: RelayThread) { dial(on: thread) }

    func end(on thread: RelayThread) {
        stopListening(on: thread)
        if let spare { close(spare.descriptor) }
        spare = nil
    }

    func handle(_ events: UInt32, _ token: UInt64, on thread: RelayThread) {
        if token == listenerToken { accept(on: thread) } else { noteSpare(events, on: thread) }
    }

    func timeHasCome(on thread: RelayThread) {
        let now = MonotonicInstant.now
        if spare != nil, !isSpareReady, now >= dialDeadline {
            fail(on: thread)
        } else if let dialAgainAt, now >= dialAgainAt {
            dial(on: thread)
        }
    }

    private func dial(on thread: RelayThread) {
        dialAgainAt = nil
        isSpareReady = false
        guard case .success(let address) = relay.upstream.current else { return fail(on: thread) }
        guard let socket = Sockets.make(address.family) else {
            relay.noteDescriptorShortage()
            return fail(on: thread)
        }
        spare = Endpoint(socket)
        dialled = address
        if address.family != AF_UNIX { Sockets.sendAtOnce(socket) }
        dialDeadline = .now.advanced(by: relay.options.dialTimeout)
        let error = address.withSockaddr { connect(socket, $0, $1) == 0 ? 0 : errno } ?? EINVAL
        guard [0, EINPROGRESS, EINTR].contains(error), thread.watch(socket, RelayThread.linkEvents, spareToken) else {
            return fail(on: thread)
        }
        thread.plan(spareToken, at: dialDeadline)
    }

    private func noteSpare(_ events: UInt32, on thread: RelayThread) {
        guard let spare, let dialled else { return }
        spare.note(events)
        if spare.isBroken || spare.hasPeerFinished {
            guard isSpareReady else { return fail(on: thread) }
            // The server may only have grown tired of waiting: PostgreSQL gives a client a minute to say who it is.
            thread.unwatch(descriptor)
            dropSpare()
            dial(on: thread)
        } else if !isSpareReady, spare.isWritable {
            guard Sockets.takeError(spare.descriptor) == 0,
                !Sockets.isConnectedToItself(spare.descriptor, dialled: dialled)
            else { return fail(on: thread) }
            isSpareReady = true
            startListening(on: thread)
        }
    }

    private func dropSpare() {
        if let spare { close(spare.descriptor) }
        spare = nil
        isSpareReady = false
    }

    /// The server cannot be reached: neither can this relay, until it can.
    private func fail(on thread: RelayThread) {
        stopListening(on: thread)
        dropSpare()
        relay.upstream.noteFailure()
        let again = MonotonicInstant.now.advanced(by: Self.pauseAfterFailure)
        dialAgainAt = again
        thread.plan(spareToken, at: again)
    }

    private func startListening(on thread: RelayThread) {
        // A second call changes nothing.
        guard listen(descriptor, SOMAXCONN) == 0, thread.watch(descriptor, clinux_EPOLLIN, listenerToken) else {
            return fail(on: thread)
        }
        isListening = true
    }

    /// The port stays bound; clients in the kernel's queue are reset.
    private func stopListening(on thread: RelayThread) {
        guard isListening else { return }
        if isSpareReady { thread.unwatch(descriptor) }
        shutdown(descriptor, Int32(SHUT_RD))
        isListening = false
    }

    private func accept(on thread: RelayThread) {
        guard let spare, isSpareReady else { return }
        let client = clinux_accept_nonblocking(descriptor)
        guard client >= 0 else {
            if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) {
                relay.noteDescriptorShortage()
                fail(on: thread)
            }
            return
        }
        self.spare = nil
        isSpareReady = false
        thread.unwatch(descriptor)
        thread.unwatch(spare.descriptor)
        thread.open(client, relay, server: spare.descriptor)
        dial(on: thread)
    }
}
