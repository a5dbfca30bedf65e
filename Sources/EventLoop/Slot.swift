import Threading

/// One place where something waits: for a descriptor, for a time, or for both. Recycled, never freed before its loop, so a
/// late event of the kernel always finds it, and the generation tells that the event is late.
final class Slot: Sendable {
    /// Resumed with why the wait failed, or with `nil` for success.
    typealias Waiter = CheckedContinuation<LoopError?, Never>

    struct State {
        /// Which wait this is. An event, a cancellation or an expiry of another generation is dropped.
        var generation: UInt32 = 0
        /// The task that waits; at most one.
        var waiter: Waiter?
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

    /// Opens a new generation for a wait.
    func beginWait() -> UInt32 {
        state.withLock { state in
            precondition(state.waiter == nil, "two tasks wait on one slot: each connection needs its own WaitSlot")
            state.generation &+= 1
            return state.generation
        }
    }

    /// Ends the wait of this generation with `failure`, or with success for `nil`; does nothing when it is over already.
    func finishWait(generation: UInt32, with failure: LoopError?) {
        state.withLock { state -> Waiter? in
            guard state.generation == generation else { return nil }
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
