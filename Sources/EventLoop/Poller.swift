import CLinux
import Glibc
import Synchronization
import Threading

/// The three kernel objects of a loop: epoll for readiness, an eventfd to wake it, a timerfd for its deadlines.
///
/// `watch` and `wake` may be called by any thread, the rest by the loop's thread only.
final class Poller: Sendable {
    /// What an epoll event is about.
    enum Source {
        case wakeUp
        case timer
        case slot(index: Int, generation: UInt32)
    }

    private let epoll: Int32
    private let wakeUp: Int32
    private let timer: Int32
    /// Set by the loop before its last look for work, cleared by whoever wakes it: so a wake-up costs a system call only
    /// when the loop really sleeps, and none is lost between the look and the sleep.
    private let asleep = Atomic<Bool>(false)

    init() throws(LoopError) {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system(errno: errno, call: "epoll_create1") }
        wakeUp = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard wakeUp >= 0 else {
            let number = errno
            Glibc.close(epoll)
            throw .system(errno: number, call: "eventfd")
        }
        timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard timer >= 0 else {
            let number = errno
            Glibc.close(epoll)
            Glibc.close(wakeUp)
            throw .system(errno: number, call: "timerfd_create")
        }
        for (descriptor, token) in [(wakeUp, Self.wakeUpToken), (timer, Self.timerToken)] {
            let number = control(EPOLL_CTL_ADD, descriptor, clinux_EPOLLIN, token)
            precondition(number == 0, "epoll_ctl refused a descriptor that was just made: errno \(number)")
        }
    }

    // Only here, when nobody can hold a reference: a late waker must never write to a number that is someone else's.
    deinit {
        Glibc.close(timer)
        Glibc.close(wakeUp)
        Glibc.close(epoll)
    }

    // MARK: Any thread

    /// Reports the next readiness of `descriptor`, once, as an event of this slot and generation.
    ///
    /// - Returns: 0, or the error number of epoll_ctl(2).
    func watch(_ descriptor: Int32, for readiness: Readiness, slot: Int, generation: UInt32) -> Int32 {
        let token = UInt64(slot) << 32 | UInt64(generation)
        let events = readiness.epollEvents | clinux_EPOLLONESHOT
        // The number may stand for a new socket (libpq swaps its own while it connects): then the kernel has forgotten it.
        let number = control(EPOLL_CTL_MOD, descriptor, events, token)
        return number == ENOENT ? control(EPOLL_CTL_ADD, descriptor, events, token) : number
    }

    /// Reports what happens to `descriptor` from now on, until ``forget(_:)`` or its close.
    ///
    /// - Returns: 0, or the error number of epoll_ctl(2).
    func register(_ descriptor: Int32, events: UInt32, slot: Int, generation: UInt32) -> Int32 {
        let token = UInt64(slot) << 32 | UInt64(generation)
        // A one-shot wait may have left an entry, for example that of the connect.
        let number = control(EPOLL_CTL_ADD, descriptor, events, token)
        return number == EEXIST ? control(EPOLL_CTL_MOD, descriptor, events, token) : number
    }

    /// Reports nothing more about `descriptor`.
    func forget(_ descriptor: Int32) { _ = control(EPOLL_CTL_DEL, descriptor, 0, 0) }

    /// Ends the loop's sleep, or prevents it if the loop is about to fall asleep.
    func wake() {
        guard asleep.exchange(false, ordering: .sequentiallyConsistent) else { return }
        var one: UInt64 = 1
        _ = write(wakeUp, &one, 8)  // can only fail when the counter is full, and then the loop wakes anyway
    }

    // MARK: The loop's thread

    /// From now on every `wake()` is a real one. Call it before the last look for work.
    func announceSleep() { asleep.store(true, ordering: .sequentiallyConsistent) }

    /// Fills `events` with what is ready, and waits for the first if `block` is true.
    func poll(_ events: UnsafeMutableBufferPointer<epoll_event>, block: Bool) -> Int {
        let count = epoll_wait(epoll, events.baseAddress, Int32(events.count), block ? -1 : 0)
        let number = errno
        asleep.store(false, ordering: .sequentiallyConsistent)
        precondition(count >= 0 || number == EINTR, "epoll_wait failed: errno \(number)")
        return max(0, Int(count))
    }

    /// Makes the timer's event come at `time`, in place of the time it had.
    func setTimer(at time: MonotonicInstant) {
        var setting = itimerspec()
        // Zero would disarm it.
        let nanoseconds = max(1, time.nanoseconds)
        setting.it_value = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        let status = timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
        precondition(status == 0, "timerfd_settime failed: errno \(errno)")
    }

    /// Whom an event is for. Takes the wake-up or the tick out of its descriptor.
    func source(of event: epoll_event) -> Source {
        var ignored: UInt64 = 0
        switch event.data.u64 {
        case Self.wakeUpToken:
            _ = read(wakeUp, &ignored, 8)
            return .wakeUp
        case Self.timerToken:
            _ = read(timer, &ignored, 8)
            return .timer
        case let token:
            return .slot(index: Int(token >> 32), generation: UInt32(truncatingIfNeeded: token))
        }
    }

    private static let wakeUpToken = UInt64.max
    private static let timerToken = UInt64.max - 1

    private func control(_ operation: Int32, _ descriptor: Int32, _ events: UInt32, _ token: UInt64) -> Int32 {
        var event = epoll_event()
        event.events = events
        event.data.u64 = token
        return epoll_ctl(epoll, operation, descriptor, &event) == 0 ? 0 : errno
    }
}
