import HostSystem
import Threading

/// When does waking up late count as a stall. Pure.
struct StallRule: Sendable {
    var pause: Duration
    var tolerance: Duration

    /// - Returns: how late the sleeper woke up, when that is more than the tolerance.
    func lateness(asleepFrom start: MonotonicInstant, until end: MonotonicInstant) -> Duration? {
        let late = start.duration(to: end) - pause
        return late > tolerance ? late : nil
    }
}

/// A thread that does nothing but sleep, 20 ms at a time, and reports when it woke more than 50 ms late: then the
/// machine was busy, and lateness seen elsewhere at that time is not the pool's.
///
/// Its owner must call ``stop()``.
package final class StallWatch: Sendable {
    package static let pause = Duration.milliseconds(20)
    package static let tolerance = Duration.milliseconds(50)

    private let stopping: Flag
    private let thread: ServiceThread

    /// Starts at once.
    ///
    /// - Parameter onStall: called on the thread of the watch with the lateness; must not block.
    package convenience init(onStall: @escaping @Sendable (Duration) -> Void) {
        self.init(onStall: onStall) {
            Waiting.sleep(until: .now.advanced(by: Self.pause))
            return .now
        }
    }

    /// - Parameter sleep: sleeps once and returns the time at which it woke up.
    init(onStall: @escaping @Sendable (Duration) -> Void, sleep: @escaping @Sendable () -> MonotonicInstant) {
        let stopping = Flag()
        self.stopping = stopping
        thread = ServiceThread(name: "stall watch", stackBytes: 256 << 10) {
            let rule = StallRule(pause: Self.pause, tolerance: Self.tolerance)
            // From one waking to the next, so that no moment is left out: a process may be stopped between two sleeps, too.
            var start = MonotonicInstant.now
            while !stopping.isSet {
                let end = sleep()
                if let late = rule.lateness(asleepFrom: start, until: end) { onStall(late) }
                start = end
            }
        }
    }

    /// Ends the thread and waits for it, at most one pause. No report comes after that. Idempotent.
    package func stop() {
        stopping.set()
        thread.join()
    }
}

/// A flag that is set once and read by other threads.
private final class Flag: Sendable {
    private let value = Lock(false)
    var isSet: Bool { value.withLock { $0 } }
    func set() { value.withLock { $0 = true } }
}
