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
    /// Where it listens: with the port that the kernel gave it, so that it comes back on the same one.
    private let address: SocketAddress
    private let firstToken: UInt64
    /// Bound from the start; closed while the server cannot be reached, since a socket that listened cannot be silenced
    /// otherwise on every family.
    private var listener: BoundSocket?
    private var isListening = false
    /// On its way to the server, or there.
    private var spare: Endpoint?
    private var isSpareReady = false
    private var dialled: SocketAddress?
    private var dialledAt = MonotonicInstant(nanoseconds: 0)
    /// Two, in turn: an event of the spare before this one must not be taken for its own.
    private var spareToken: UInt64
    /// To dial, or to accept where the spare connection is ready.
    private var tryAgainAt: MonotonicInstant?
    private var plannedLook: MonotonicInstant?
    /// Told once, when the first dial has ended, well or not.
    private var onFirstEnd: (() -> Void)?

    /// - Parameters:
    ///   - listener: bound, not listening.
    ///   - onFirstEnd: called on the thread when it is known for the first time whether the server can be reached.
    init(relay: RelayShared, listener: BoundSocket, id: Int, onFirstEnd: @escaping () -> Void) {
        self.relay = relay
        self.listener = listener
        address = listener.address
        firstToken = RelayListener.token(id)
        spareToken = firstToken | 1
        self.onFirstEnd = onFirstEnd
    }

    var tokens: [UInt64] { [firstToken, firstToken | 1, firstToken | 2] }

    func begin(on thread: RelayThread) { dial(on: thread) }

    func end(on thread: RelayThread) {
        stopListening(on: thread)
        listener?.close()
        listener = nil
        dropSpare()
        tellFirstEnd()
    }

    func handle(_ events: UInt32, _ token: UInt64, on thread: RelayThread) {
        if token == firstToken { accept(on: thread) } else if token == spareToken { noteSpare(events, on: thread) }
    }

    func timeHasCome(on thread: RelayThread) {
        let now = MonotonicInstant.now
        plannedLook = nil
        if spare != nil, !isSpareReady, now >= dialledAt.advanced(by: relay.options.dialTimeout) {
            fail(on: thread)
        } else if let tryAgainAt, now >= tryAgainAt {
            self.tryAgainAt = nil
            if isSpareReady { startListening(on: thread) } else { dial(on: thread) }
        }
        if plannedLook == nil { planLook(on: thread) }
    }

    private func planLook(on thread: RelayThread) {
        let dialEnd = spare != nil && !isSpareReady ? dialledAt.advanced(by: relay.options.dialTimeout) : nil
        guard let next = tryAgainAt ?? dialEnd, next < plannedLook ?? .distantFuture else { return }
        plannedLook = next
        thread.plan(firstToken, at: next)
    }

    // MARK: The spare connection

    private func dial(on thread: RelayThread) {
        tryAgainAt = nil
        isSpareReady = false
        guard case .success(let address) = relay.upstream.current else { return fail(on: thread) }
        guard let socket = Sockets.make(address.family) else {
            DescriptorReserve.noteShortage()
            return pause(on: thread)
        }
        guard !DescriptorReserve.has(socket) else {
            close(socket)
            return pause(on: thread)
        }
        spare = Endpoint(socket)
        dialled = address
        dialledAt = .now
        spareToken = spareToken ^ 3
        if address.family != AF_UNIX { Sockets.sendAtOnce(socket) }
        let error = address.withSockaddr { connect(socket, $0, $1) == 0 ? 0 : errno } ?? EINVAL
        guard [0, EINPROGRESS, EINTR].contains(error), thread.watch(socket, RelayThread.linkEvents, spareToken) else {
            return fail(on: thread)
        }
        planLook(on: thread)
    }

    private func noteSpare(_ events: UInt32, on thread: RelayThread) {
        guard let spare, let dialled else { return }
        spare.note(events)
        if spare.isBroken || spare.hasPeerFinished {
            let lived = dialledAt.duration(to: .now)
            guard isSpareReady, lived >= Self.pauseAfterFailure else { return fail(on: thread) }
            // The server may only have grown tired of waiting: PostgreSQL gives a client a minute to say who it is.
            if let listener { thread.unwatch(listener.descriptor) }
            dropSpare()
            dial(on: thread)
        } else if !isSpareReady, spare.isWritable {
            guard Sockets.takeError(spare.descriptor) == 0,
                !Sockets.isConnectedToItself(spare.descriptor, dialled: dialled)
            else { return fail(on: thread) }
            isSpareReady = true
            startListening(on: thread)
            tellFirstEnd()
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
        tryAgain(on: thread)
    }

    /// There is no descriptor. That says nothing of the server: who comes waits in the kernel's queue.
    private func pause(on thread: RelayThread) {
        relay.noteDescriptorShortage()
        tryAgain(on: thread)
    }

    private func tryAgain(on thread: RelayThread) {
        tryAgainAt = MonotonicInstant.now.advanced(by: Self.pauseAfterFailure)
        planLook(on: thread)
        tellFirstEnd()
    }

    private func tellFirstEnd() {
        onFirstEnd?()
        onFirstEnd = nil
    }

    // MARK: Clients

    private func startListening(on thread: RelayThread) {
        do throws(ProxyError) {
            if listener == nil { listener = try BoundSocket(address) }
            guard let socket = listener else { return }
            // A second call changes nothing.
            guard listen(socket.descriptor, SOMAXCONN) == 0 else {
                throw .listenFailed(address: address.text, reason: Sockets.message(errno))
            }
            isListening = true
            guard thread.watch(socket.descriptor, clinux_EPOLLIN, firstToken) else {
                throw .noResource("epoll: \(Sockets.message(errno))")
            }
        } catch {
            relay.tell(.listenFailed("\(error)"))
            fail(on: thread)
        }
    }

    /// Clients in the kernel's queue are reset.
    private func stopListening(on thread: RelayThread) {
        guard isListening, let socket = listener else { return }
        if isSpareReady { thread.unwatch(socket.descriptor) }
        socket.close()
        listener = nil
        isListening = false
    }

    private func accept(on thread: RelayThread) {
        guard let spare, isSpareReady, let listener else { return }
        if DescriptorReserve.isShort {
            thread.unwatch(listener.descriptor)
            return pause(on: thread)
        }
        let client = clinux_accept_nonblocking(listener.descriptor)
        guard client >= 0 else {
            if [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(errno) {
                DescriptorReserve.noteShortage()
                thread.unwatch(listener.descriptor)
                pause(on: thread)
            }
            return
        }
        DescriptorReserve.has(client)
        self.spare = nil
        isSpareReady = false
        // Level-triggered: without a spare connection the event would come again and again.
        thread.unwatch(listener.descriptor)
        thread.unwatch(spare.descriptor)
        thread.open(client, relay, server: spare.descriptor)
        dial(on: thread)
    }
}
