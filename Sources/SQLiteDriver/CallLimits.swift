import Synchronization
import Threading

/// The bounds of one call, asked from inside SQLite by its progress and busy handlers. Thread-safe.
///
/// Both handlers run on the connection's own thread, so a deadline needs no timer: SQLite asks "go on?" every
/// ``instructionsPerCheck`` instructions of its virtual machine, and before each new try for a lock.
final class CallLimits: Sendable {
    /// Some ten microseconds of work: a deadline is noticed that late, at a cost of one clock reading per check.
    static let instructionsPerCheck: Int32 = 1000

    enum StopRequest: UInt8 {
        case none
        case cancelled
        case aborted
    }

    let deadline: MonotonicInstant
    /// Waiting for a lock ends here: the configured limit or the deadline, whichever is first.
    let busyLimit: MonotonicInstant
    let begin: MonotonicInstant
    private let request = Atomic<UInt8>(StopRequest.none.rawValue)

    init(deadline: MonotonicInstant, busyTimeout: Duration, now: MonotonicInstant = .now) {
        begin = now
        self.deadline = deadline
        busyLimit = min(deadline, now.advanced(by: busyTimeout))
    }

    var stopRequest: StopRequest { StopRequest(rawValue: request.load(ordering: .acquiring)) ?? .none }

    /// The first request stays.
    func stop(_ reason: StopRequest) {
        _ = request.compareExchange(
            expected: StopRequest.none.rawValue, desired: reason.rawValue, ordering: .acquiringAndReleasing)
    }

    /// A running statement must end now.
    func mustStop(at now: MonotonicInstant) -> Bool { stopRequest != .none || now >= deadline }

    /// The pause before the next try for a lock; `nil` when it is time to give up.
    ///
    /// The pauses double from 1 ms to 10 ms, so a lock that becomes free, or a cancellation, is noticed at most 10 ms
    /// late; the last pause is cut, so the limit itself is met to the precision of a sleep.
    ///
    /// - Parameter attempt: the number of tries that have failed before this one, from 0.
    func pauseForLock(attempt: Int, at now: MonotonicInstant) -> Duration? {
        guard stopRequest == .none, now < busyLimit else { return nil }
        let pause = Duration.milliseconds(attempt < 4 ? 1 << max(attempt, 0) : 10)
        return min(pause, now.duration(to: busyLimit))
    }
}
