import CLinux
import Glibc
import Synchronization
import Threading

/// The relay's thread: one epoll set with the listener, a timer, a wake-up and every pair.
///
/// Edge-triggered, so each end remembers whether it may be read or written. A turn per pair is bounded; a pair with more
/// to do goes to the end of the list.
final class RelayLoop: @unchecked Sendable {
    // @unchecked: made by one thread, then used by the relay's thread alone (which pthread_create orders).
    private static let pauseAfterFullTable = Duration.milliseconds(50)
    private static let pauseAfterFullQueue = Duration.milliseconds(5)

    /// What an event belongs to: these, or twice a pair's id, plus 1 for its server end.
    private enum Token {
        static let listener = UInt64.max
        static let wakeup = UInt64.max - 1
        static let timer = UInt64.max - 2
    }
    /// In ``dues``: time to accept again. Pairs count from 1.
    private static let acceptingID: UInt64 = 0

    private let configuration: Relay.Configuration
    private let upstream: SocketAddress
    private let shared: RelayShared
    private let mover: Mover
    private let listener: Int32
    private let wakeup: Int32
    private let epoll: Int32
    private let timer: Int32

    private var pairs: [UInt64: RelayPair] = [:]
    private var lastID: UInt64 = 0
    private var queue: [RelayPair] = []
    private var dues = DueQueue()
    private var armed: MonotonicInstant?
    private var toxicVersion = 0

    /// - Parameters:
    ///   - listener: closed by this object when ``run()`` ends, or when this throws.
    ///   - wakeup: the eventfd of `shared`, which closes it.
    init(
        configuration: Relay.Configuration, upstream: SocketAddress, listener: Int32, wakeup: Int32, shared: RelayShared
    ) throws(RelayError) {
        self.configuration = configuration
        self.upstream = upstream
        self.listener = listener
        self.wakeup = wakeup
        self.shared = shared
        mover = Mover(bufferBytes: configuration.bufferBytes, toxics: shared.toxics)
        epoll = epoll_create1(O_CLOEXEC)
        timer = timerfd_create(CLOCK_MONOTONIC, O_NONBLOCK | O_CLOEXEC)
        let error = errno
        guard epoll >= 0, timer >= 0, watch(listener, clinux_EPOLLIN, Token.listener),
            watch(wakeup, clinux_EPOLLIN, Token.wakeup), watch(timer, clinux_EPOLLIN, Token.timer)
        else {
            for descriptor in [epoll, timer, listener] where descriptor >= 0 { close(descriptor) }
            throw .systemCallFailed("epoll_create1 or timerfd_create", error: error)
        }
    }

    private func watch(_ descriptor: Int32, _ events: UInt32, _ token: UInt64) -> Bool {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    /// Works until a stop is requested, then closes everything but the wake-up.
    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 128)
        while !shared.isStopping {
            arm()
            let count = epoll_wait(epoll, &events, Int32(events.count), queue.isEmpty ? -1 : 0)
            for event in events.prefix(max(Int(count), 0)) { handle(event) }
            followToxics()
            while let id = dues.pop(at: .now) { handleDue(id) }
            let turn = queue
            queue.removeAll(keepingCapacity: true)
            for pair in turn {
                pair.isQueued = false
                advance(pair)
            }
        }
        for pair in pairs.values { discard(pair) }
        for descriptor in [listener, timer, epoll] { close(descriptor) }
    }

    private func handle(_ event: epoll_event) {
        switch event.data.u64 {
        case Token.listener: accept()
        case Token.wakeup: drain(wakeup)
        case Token.timer:
            drain(timer)
            armed = nil
        case let token:
            // An event of a pair that was closed a moment ago: ids are never used again.
            guard let pair = pairs[token >> 1] else { return }
            pair.note(event.events, ofServer: token & 1 == 1)
            enqueue(pair)
        }
    }

    private func drain(_ counter: Int32) {
        var value: UInt64 = 0
        _ = read(counter, &value, 8)
    }

    private func enqueue(_ pair: RelayPair) {
        guard !pair.isQueued else { return }
        pair.isQueued = true
        queue.append(pair)
    }

    private func followToxics() {
        let version = shared.toxics.version
        guard version != toxicVersion else { return }
        toxicVersion = version
        for pair in pairs.values {
            pair.follow(shared.toxics)
            enqueue(pair)
        }
    }

    // MARK: Time

    /// Sets the timer for the earliest of ``dues``.
    private func arm() {
        guard let earliest = dues.earliest, earliest != armed else { return }
        armed = earliest
        var time = itimerspec()
        // An all-zero time would switch the timer off.
        let nanoseconds = max(earliest.nanoseconds, 1)
        time.it_value = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        timerfd_settime(timer, 1 /* TFD_TIMER_ABSTIME */, &time, nil)
    }

    private func handleDue(_ id: UInt64) {
        if id == Self.acceptingID {
            // Level-triggered: clients that came in the meantime are reported at once.
            if !watch(listener, clinux_EPOLLIN, Token.listener) { pauseAccepting() }
        } else if let pair = pairs[id] {
            pair.toServer.plannedWake = nil
            pair.toClient.plannedWake = nil
            enqueue(pair)
        }
    }

    /// A flow whose sink is full is woken by the sink instead.
    private func planWake(_ flow: inout Flow, of pair: RelayPair, sink: Endpoint) {
        guard sink.isWritable, let due = flow.held.first?.due, due != .distantFuture, due != flow.plannedWake else {
            return
        }
        flow.plannedWake = due
        dues.push(pair.id, at: due)
    }

    // MARK: Clients

    private func accept() {
        for _ in 0..<64 {
            let client = clinux_accept_nonblocking(listener)
            if client >= 0 {
                open(client)
                continue
            }
            switch errno {
            case EAGAIN: return
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                // No descriptor to be had: leave the clients in the kernel's queue instead of spinning.
                shared.counters.descriptorShortages.add(1, ordering: .relaxed)
                _ = epoll_ctl(epoll, EPOLL_CTL_DEL, listener, nil)
                return pauseAccepting()
            default: continue  // That one client is gone already.
            }
        }
    }

    private func pauseAccepting() { dues.push(Self.acceptingID, at: .now.advanced(by: Self.pauseAfterFullTable)) }

    private func open(_ client: Int32) {
        shared.counters.accepted.add(1, ordering: .relaxed)
        guard let server = try? Sockets.make(upstream.family) else {
            shared.counters.descriptorShortages.add(1, ordering: .relaxed)
            clinux_reset_on_close(client)
            close(client)
            return
        }
        Sockets.sendAtOnce(client)
        if upstream.family != AF_UNIX { Sockets.sendAtOnce(server) }
        lastID += 1
        let pair = RelayPair(
            id: lastID, client: client, server: server, seed: configuration.seed,
            dialDeadline: .now.advanced(by: configuration.dialTimeout))
        pairs[pair.id] = pair
        shared.counters.openPairs.store(pairs.count, ordering: .releasing)
        guard watch(client, Self.pairEvents, pair.id << 1) else { return refuse(pair) }
        if let dial = pair.dial { dues.push(pair.id, at: dial.deadline) }
        dial(pair)
    }

    private static let pairEvents = clinux_EPOLLIN | clinux_EPOLLOUT | clinux_EPOLLRDHUP | clinux_EPOLLET

    /// Asks the server for a connection; ``advance(_:)`` sees how it ends.
    private func dial(_ pair: RelayPair) {
        pair.dial?.retry = nil
        pair.server.isWritable = false
        let error = upstream.withSockaddr { connect(pair.server.descriptor, $0, $1) == 0 ? 0 : errno } ?? EINVAL
        if error == EAGAIN {
            let retry = MonotonicInstant.now.advanced(by: Self.pauseAfterFullQueue)
            pair.dial?.retry = retry
            dues.push(pair.id, at: retry)
            return
        }
        guard [0, EINPROGRESS, EINTR].contains(error),
            watch(pair.server.descriptor, Self.pairEvents, pair.id << 1 | 1)
        else { return refuse(pair) }
    }

    // MARK: Pairs

    private func advance(_ pair: RelayPair) {
        guard pairs[pair.id] != nil else { return }  // refused between its event and its turn
        if pair.dial != nil, !finishDial(pair) { return }
        let counters = shared.counters
        let wasClientBroken = pair.client.isBroken
        let moreToServer = mover.move(
            &pair.toServer, from: &pair.client, to: &pair.server, forwarded: counters.bytesToServer)
        let moreToClient = mover.move(
            &pair.toClient, from: &pair.server, to: &pair.client, forwarded: counters.bytesToClient)
        if pair.isFinished { return discard(pair) }
        planWake(&pair.toServer, of: pair, sink: pair.server)
        planWake(&pair.toClient, of: pair, sink: pair.client)
        // The second move may have found out that its sink, which is the source of the first, is gone.
        if moreToServer || moreToClient || pair.client.isBroken != wasClientBroken { enqueue(pair) }
    }

    /// - Returns: `false` while the server has not accepted, or when it has refused.
    private func finishDial(_ pair: RelayPair) -> Bool {
        let now = MonotonicInstant.now
        if pair.client.isBroken {  // It did not wait for the answer.
            discard(pair)
            return false
        }
        guard let dial = pair.dial, !pair.server.isBroken, now < dial.deadline else {
            refuse(pair)
            return false
        }
        if let retry = dial.retry {
            if now >= retry { self.dial(pair) }
            return false
        }
        guard pair.server.isWritable else { return false }
        guard Sockets.takeError(pair.server.descriptor) == 0, !Sockets.isConnectedToItself(pair.server.descriptor)
        else {
            refuse(pair)
            return false
        }
        pair.dial = nil
        return true
    }

    /// Resets the client: the kernel has accepted it before the relay could ask the server.
    private func refuse(_ pair: RelayPair) {
        shared.counters.refused.add(1, ordering: .relaxed)
        pair.server.error = pair.server.error ?? ECONNREFUSED
        discard(pair)
    }

    private func discard(_ pair: RelayPair) {
        pairs[pair.id] = nil
        pair.close()
        shared.counters.openPairs.store(pairs.count, ordering: .releasing)
    }
}
