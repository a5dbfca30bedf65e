import Threading

/// The bounds of one call. A value of two numbers, so that a call costs no allocation.
struct CallLimits: Sendable {
    /// Some ten microseconds of work: a deadline or a cancellation is noticed that late, at the cost of a clock reading.
    static let instructionsPerCheck: Int32 = 1000

    let begin: MonotonicInstant
    let deadline: MonotonicInstant
    /// Waiting for a lock ends here: the configured limit or the deadline, whichever is first.
    let busyLimit: MonotonicInstant

    /// - Parameter busyNanoseconds: the longest wait for a lock.
    init(deadline: MonotonicInstant, busyNanoseconds: UInt64, now: MonotonicInstant) {
        begin = now
        self.deadline = deadline
        let (limit, overflow) = now.nanoseconds.addingReportingOverflow(busyNanoseconds)
        busyLimit = MonotonicInstant(nanoseconds: overflow ? deadline.nanoseconds : min(limit, deadline.nanoseconds))
    }

    /// The pause before the next try for a lock; `nil` when it is time to give up.
    ///
    /// The pauses double from 1 ms to 10 ms, so a lock that becomes free is noticed at most 10 ms late; the last pause is
    /// cut, so the limit itself is met to the precision of a sleep.
    ///
    /// - Parameter attempt: the number of tries that have failed before this one, from 0.
    func pauseForLock(attempt: Int, at now: MonotonicInstant) -> Duration? {
        guard now < busyLimit else { return nil }
        let pause = Duration.milliseconds(attempt < 4 ? 1 << max(attempt, 0) : 10)
        return min(pause, now.duration(to: busyLimit))
    }
}
