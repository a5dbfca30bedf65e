import CLinux
import Glibc
import Synchronization
import Threading

/// A thread that relays: one epoll set with sources of connections, a timer, a wake-up and its connections.
///
/// Edge-triggered, so each end remembers whether it may be read or written. A turn per connection is bounded; one with more
/// to do goes to the end of the list.
final class RelayThread: @unchecked Sendable {
    // @unchecked: everything but `commands` and the wake-up is used by the thread alone, which pthread_create orders.

    /// What an event belongs to: these, a source's token behind `sourceMark`, or a link's generation, slot and end.
    enum Token {
        static let wakeup = UInt64.max
        static let timer = UInt64.max - 1
        /// In ``dues``: time to look at the dials.
        static let dials = UInt64.max - 2
        static let sourceMark: UInt64 = 1 << 63
    }

    typealias Command = @Sendable (RelayThread) -> Void

    private let epoll: Int32
    private let timer: Int32
    private let wakeup: Int32
    private let commands = Lock<[Command]>([])
    private let isStopping = Atomic<Bool>(false)

    /// Read into by all connections in turn.
    let scratch: UnsafeMutableRawBufferPointer
    private var sources: [UInt64: any RelaySource] = [:]
    private var links: [RelayLink?] = []
    private var freeSlots: [Int] = []
    private var generation: UInt32 = 0
    private var queue: [RelayLink] = []
    private var dues = DueQueue()
    private var armed: MonotonicInstant?
    private var plannedDialCheck: MonotonicInstant?
    /// Kept for their storage.
    var wireEffects: [WireEffect] = []
    var stageEffects: [StageEffect] = []

    /// - Throws: ``ProxyError/noResource(_:)``.
    init() throws(ProxyError) {
        epoll = epoll_create1(O_CLOEXEC)
        timer = timerfd_create(CLOCK_MONOTONIC, O_NONBLOCK | O_CLOEXEC)
        wakeup = eventfd(0, O_NONBLOCK | O_CLOEXEC)
        let error = errno
        scratch = .allocate(byteCount: 256 << 10, alignment: 64)
        guard epoll >= 0, timer >= 0, wakeup >= 0, watch(wakeup, clinux_EPOLLIN, Token.wakeup),
            watch(timer, clinux_EPOLLIN, Token.timer)
        else {
            throw .noResource("epoll, timer or event: \(Sockets.message(error)); is the limit of open files reached?")
        }
    }

    deinit {
        for descriptor in [epoll, timer, wakeup] where descriptor >= 0 { close(descriptor) }
        scratch.deallocate()
    }

    // MARK: From any thread

    /// Runs on the thread soon, in order.
    ///
    /// - Returns: `false` after ``stop()``: it never runs.
    func post(_ command: @escaping Command) -> Bool {
        let isTaken = commands.withLock { commands in
            guard !isStopping.load(ordering: .acquiring) else { return false }
            commands.append(command)
            return true
        }
        if isTaken { wake() }
        return isTaken
    }

    /// What was posted before still runs.
    func stop() {
        commands.withLock { _ in isStopping.store(true, ordering: .releasing) }
        wake()
    }

    private func wake() {
        // An eventfd never blocks here: it counts to 2^64 - 2.
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    // MARK: On the thread

    /// Works until a stop is requested. By then its relays have stopped.
    func run() {
        var events = [epoll_event](repeating: epoll_event(), count: 128)
        var turn: [RelayLink] = []
        while !isStopping.load(ordering: .acquiring) {
            arm()
            let count = epoll_wait(epoll, &events, Int32(events.count), queue.isEmpty ? -1 : 0)
            for index in 0..<max(Int(count), 0) { handle(events[index]) }
            // One look at the clock per turn: what becomes due while the others are served waits for the next one.
            let now = MonotonicInstant.now
            while let token = dues.pop(at: now) { handleDue(token, now) }
            guard !queue.isEmpty else { continue }
            swap(&queue, &turn)
            for link in turn {
                link.isQueued = false
                advance(link)
            }
            turn.removeAll(keepingCapacity: true)
        }
        runCommands()
    }

    private func handle(_ event: epoll_event) {
        let token = event.data.u64
        if let link = link(of: token) {
            (token & 1 == 1 ? link.server : link.client).note(event.events)
            return advance(link)
        }
        switch token {
        case Token.wakeup:
            drain(wakeup)
            runCommands()
        case Token.timer:
            drain(timer)
            armed = nil
        default: sources[token]?.handle(event.events, token, on: self)
        }
    }

    private func runCommands() {
        let work = commands.withLock { commands in
            defer { commands = [] }
            return commands
        }
        for command in work { command(self) }
    }

    private func drain(_ counter: Int32) {
        var value: UInt64 = 0
        _ = read(counter, &value, 8)
    }

    func watch(_ descriptor: Int32, _ events: UInt32, _ token: UInt64) -> Bool {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0
    }

    func unwatch(_ descriptor: Int32) { _ = epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil) }

    // MARK: Sources of connections

    func add(_ source: any RelaySource) {
        for token in source.tokens { sources[token] = source }
        source.begin(on: self)
    }

    func removeSource(_ token: UInt64) {
        guard let source = sources[token] else { return }
        source.end(on: self)
        for token in source.tokens { sources[token] = nil }
    }

    // MARK: Links

    /// An event of a link that was closed a moment ago finds none: the generation has changed.
    private func link(of token: UInt64) -> RelayLink? {
        guard token & Token.sourceMark == 0 else { return nil }
        let slot = Int(token >> 1 & 0x7FFF_FFFF)
        guard slot < links.count, let link = links[slot], link.generation == UInt32(token >> 32) else { return nil }
        return link
    }

    func token(of link: RelayLink) -> UInt64 { UInt64(link.generation) << 32 | UInt64(link.slot) << 1 }

    func add(_ link: RelayLink) {
        generation = (generation + 1) & 0x7FFF_FFFF
        link.generation = generation
        if let slot = freeSlots.popLast() {
            link.slot = slot
            links[slot] = link
        } else {
            link.slot = links.count
            links.append(link)
        }
        link.relay.counters.open.add(1, ordering: .acquiringAndReleasing)
    }

    func remove(_ link: RelayLink) {
        guard link.isOpen else { return }
        link.isOpen = false
        links[link.slot] = nil
        freeSlots.append(link.slot)
        link.relay.counters.open.subtract(1, ordering: .acquiringAndReleasing)
    }

    /// O(connections of the thread).
    func links(of relay: RelayShared) -> [RelayLink] { links.compactMap { $0 }.filter { $0.relay === relay } }

    func enqueue(_ link: RelayLink) {
        guard !link.isQueued, link.isOpen else { return }
        link.isQueued = true
        queue.append(link)
    }

    // MARK: Time

    var plannedLooks: Int { dues.count }

    func plan(_ token: UInt64, at time: MonotonicInstant) { dues.push(token, at: time) }

    /// A dial must have ended by then. One time for all dials: most end in no time, and a time of its own for each would stay
    /// until it has come.
    func planDialCheck(at time: MonotonicInstant) {
        guard time < plannedDialCheck ?? .distantFuture else { return }
        plannedDialCheck = time
        plan(Token.dials, at: time)
    }

    /// O(connections), once in a dial's time limit.
    private func checkDials() {
        plannedDialCheck = nil
        var next: MonotonicInstant?
        for link in links.compactMap({ $0 }) {
            guard let deadline = link.dial?.deadline else { continue }
            if deadline <= .now { advance(link) } else { next = min(next ?? deadline, deadline) }
        }
        if let next { planDialCheck(at: next) }
    }

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

    private func handleDue(_ token: UInt64, _ now: MonotonicInstant) {
        if let link = link(of: token) {
            link.upstream.forgetWake(upTo: now)
            link.downstream.forgetWake(upTo: now)
            advance(link)
        } else if token == Token.dials {
            checkDials()
        } else {
            sources[token]?.timeHasCome(on: self)
        }
    }
}
