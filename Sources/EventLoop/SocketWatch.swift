import CLinux
public import Threading

/// A socket that stays registered with a loop, so that waiting for it costs no system call.
///
/// The kernel reports edges: that something *became* readable or writable. So after a wait, read until the socket has
/// nothing more (EAGAIN), or until the whole answer is there; what is left unread raises no new edge. An edge that comes while
/// nobody waits is kept, and ends the next wait at once: a wait may return early, never late. The end of the stream and an error
/// end every wait that follows.
///
/// ```swift
/// let watch = try SocketWatch(loop: loop, descriptor: socket)
/// send(socket, request)
/// while !complete { try await watch.wait(for: .readable, until: deadline); complete = readUntilEAGAIN() }
/// ```
///
/// One task waits at a time; everything else is thread-safe. Call ``end()`` before the watch is dropped while its socket
/// stays open; a socket that is closed is forgotten by the kernel itself.
public final class SocketWatch: Sendable {
    public let loop: EventLoop
    private let place: WaitSlot
    private let descriptor: Int32
    private let generation: UInt32

    /// Registers the socket. It must stay open as long as somebody waits for it.
    ///
    /// - Throws: ``LoopError/system(errno:call:)`` when the kernel refuses it.
    public init(loop: EventLoop, descriptor: Int32) throws(LoopError) {
        self.loop = loop
        self.descriptor = descriptor
        place = loop.makeSlot()
        generation = place.slot.state.withLock { state in
            state.generation &+= 1
            state.edges = 0
            return state.generation
        }
        let number = loop.poller.register(
            descriptor, events: Edge.registration, slot: place.slot.index, generation: generation)
        guard number == 0 else { throw .system(errno: number, call: "epoll_ctl") }
    }

    /// Waits until an edge came since the last wait.
    ///
    /// - Throws: ``LoopError``. A deadline that has passed wins over an edge.
    public nonisolated(nonsending) func wait(
        for readiness: Readiness, until deadline: MonotonicInstant
    ) async throws(LoopError) {
        let wanted = Edge.wanted(for: readiness)
        let failure = await loop.park(place.slot, until: deadline) { _, state in
            let unseen = state.edges ?? 0
            if unseen & wanted != 0 {
                state.edges = Edge.left(of: unseen, after: wanted)
                return .over(nil)
            }
            state.wanted = wanted
            return .park
        }
        withExtendedLifetime(place) {}
        if let failure { throw failure }
    }

    /// The peer has closed, or has sent something, since the last wait. A look without a system call: it may miss what
    /// came in the last microseconds.
    public var hasNews: Bool { place.slot.state.withLock { ($0.edges ?? 0) & Edge.news != 0 } }

    /// Calls `notice` on the loop's thread, outside every lock, each time the peer closes or sends something while nobody
    /// waits. Once in a while that is an answer whose reader had not begun to wait. It must not block.
    public func onIdleEvent(_ notice: (@Sendable () -> Void)?) {
        let former = place.slot.state.withLock { state in
            defer { state.onIdleEvent = notice }
            return state.onIdleEvent
        }
        withExtendedLifetime(former) {}
    }

    /// Takes the socket off the loop. Call it while the socket is still open: its number could be someone else's later.
    public func end() { loop.poller.forget(descriptor) }
}
