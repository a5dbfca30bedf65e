public import Threading

extension EventLoop {
    /// An alarm that is not set. Any thread.
    ///
    /// - Parameter callback: runs on the loop's thread, outside every lock, each time the alarm goes off; it may set the
    ///   alarm again. It must not block. It is kept until ``LoopAlarm/cancel()`` or the alarm's end: capture weakly what
    ///   owns the alarm.
    public func makeAlarm(_ callback: @escaping @Sendable () -> Void) -> LoopAlarm {
        LoopAlarm(loop: self, callback: callback)
    }
}

/// A timer that goes off once each time it is set. All calls are thread-safe, return at once, and may come from the
/// callback itself.
public final class LoopAlarm: Sendable {
    private let loop: EventLoop
    private let place: WaitSlot

    init(loop: EventLoop, callback: @escaping @Sendable () -> Void) {
        self.loop = loop
        place = loop.makeSlot()
        place.slot.state.withLock { $0.onExpiry = loop.isStopping ? nil : callback }
    }

    /// Sets the time, earlier or later than before; a time that has passed goes off as soon as the loop can. Does nothing
    /// after ``cancel()`` or the loop's shutdown.
    ///
    /// - Complexity: O(1) when the time moves later, O(log *n*) in the number of slots when it moves earlier.
    public func set(at time: MonotonicInstant) {
        let mustWake = place.slot.state.withLock { state in
            guard state.onExpiry != nil else { return false }
            state.deadline = time
            return loop.schedule(place.slot, &state)
        }
        if mustWake { loop.poller.wake() }
    }

    /// Unsets the time. An alarm that goes off on the loop's thread at this very moment may still run its callback.
    public func clear() { place.slot.state.withLock { $0.deadline = .distantFuture } }

    /// Unsets the time for good and lets go of the callback. An alarm that goes off at this very moment may still run it.
    public func cancel() {
        let callback = place.slot.state.withLock { state in
            state.deadline = .distantFuture
            return state.onExpiry.take()
        }
        withExtendedLifetime(callback) {}
    }
}
