import CLinux
import Threading

/// One place where something waits: for a descriptor, for a time, or for both. Recycled, never freed before its loop, so a
/// late event of the kernel always finds it, and the generation tells that the event is late.
final class Slot: Sendable {
    /// Resumed with why the wait failed, or with `nil` for success.
    typealias Waiter = CheckedContinuation<LoopError?, Never>

    struct State {
        /// Which registration with the kernel this is: each one-shot wait is one, a ``SocketWatch`` is one for its whole life.
        /// An event of another generation is dropped.
        var generation: UInt32 = 0
        /// Which wait this is. A cancellation of another one is dropped.
        var waitNumber: UInt32 = 0
        /// The task that waits; at most one.
        var waiter: Waiter?
        /// The edges that end the wait. One-shot registrations report nothing else.
        var wanted: UInt32 = .max
        /// A ``SocketWatch``: edges that came while nobody waited for them. `nil` for one-shot waits and alarms.
        var edges: UInt32?
        /// A ``SocketWatch``: told of edges that nobody waited for.
        var onIdleEvent: (@Sendable () -> Void)?
        /// An alarm's callback, when the slot belongs to an alarm.
        var onExpiry: (@Sendable () -> Void)?
        /// When the wait, or the alarm, is over; `distantFuture` while there is none.
        var deadline = MonotonicInstant.distantFuture
        /// The time of the slot's entry in the loop's heap, never later than `deadline`; `distantFuture` while it has none.
        var queuedAt = MonotonicInstant.distantFuture
    }

    let index: Int
    let state = Lock(State())

    init(index: Int) { self.index = index }

    /// What the kernel reports for this generation.
    func takeEvent(_ events: UInt32, generation: UInt32) {
        let (waiter, callback) = state.withLock { state -> (Waiter?, (@Sendable () -> Void)?) in
            guard state.generation == generation else { return (nil, nil) }
            guard let unseen = state.edges else { return (state.takeWaiter(), nil) }
            if state.waiter != nil, events & state.wanted != 0 {
                state.edges = Edge.left(of: unseen | events, after: state.wanted)
                return (state.takeWaiter(), nil)
            }
            state.edges = unseen | events
            return (nil, state.waiter == nil && events & Edge.news != 0 ? state.onIdleEvent : nil)
        }
        waiter?.resume(returning: nil)
        callback?()
    }

    /// Ends this wait with `failure`; does nothing when it is over already.
    func giveUp(wait number: UInt32, with failure: LoopError) {
        state.withLock { state -> Waiter? in
            guard state.waitNumber == number else { return nil }
            return state.takeWaiter()
        }?.resume(returning: failure)
    }
}

extension Slot.State {
    /// The continuation, for whoever takes it to resume outside the lock.
    mutating func takeWaiter() -> Slot.Waiter? {
        deadline = .distantFuture
        return waiter.take()
    }
}

/// Bits of epoll(7) for a ``SocketWatch``.
enum Edge {
    /// What every watch asks for, once.
    static let registration =
        clinux_EPOLLIN | clinux_EPOLLOUT | clinux_EPOLLRDHUP | clinux_EPOLLET
    /// Ends every wait: the next read or write tells more.
    static let trouble = clinux_EPOLLERR | clinux_EPOLLHUP
    /// Something other than room for writing.
    static let news = clinux_EPOLLIN | clinux_EPOLLRDHUP | trouble

    /// What never goes away: the kernel reports it once, and it may come together with the last answer, whose reader does not
    /// read as far as the end of the stream. The next request would wait for ever for another edge.
    static let lasting = clinux_EPOLLRDHUP | trouble

    /// What the next wait finds, after a wait for `wanted` was told of `edges`.
    static func left(of edges: UInt32, after wanted: UInt32) -> UInt32 { edges & (~wanted | lasting) }

    static func wanted(for readiness: Readiness) -> UInt32 {
        (readiness.contains(.readable) ? clinux_EPOLLIN | clinux_EPOLLRDHUP : 0)
            | (readiness.contains(.writable) ? clinux_EPOLLOUT : 0) | trouble
    }
}
