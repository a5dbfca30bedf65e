import Threading

/// When operations of an open model are due while the load has quiet times and bursts: evenly spaced where it is usual, so many
/// times more often in a burst, not at all in a quiet time. Pure.
struct ArrivalPlan: Sendable {
    private let start: MonotonicInstant
    private let maxLag: Duration
    private let activity: ActivityPlan
    private var usual: ArrivalSchedule
    /// What a burst adds.
    private var added: ArrivalSchedule?
    private var nextUsual: MonotonicInstant?
    private var nextAdded: MonotonicInstant?

    /// - Parameter ratePerSecond: more than 0.
    init(start: MonotonicInstant, ratePerSecond: Double, maxLag: Duration, activity: ActivityPlan) {
        self.start = start
        self.maxLag = maxLag
        self.activity = activity
        // What is late is dropped here, where it is known whether it was due at all.
        let never = activity.isConstant ? maxLag : .seconds(1_000_000_000)
        usual = ArrivalSchedule(start: start, ratePerSecond: ratePerSecond, maxLag: never)
        if activity.highest > 1 {
            added = ArrivalSchedule(
                start: start, ratePerSecond: ratePerSecond * Double(activity.highest - 1), maxLag: never)
        }
    }

    /// The time of the next operation that is not hopelessly late, and how many were dropped on the way to it.
    mutating func take(now: MonotonicInstant) -> (dueAt: MonotonicInstant, dropped: Int) {
        if activity.isConstant { return usual.take(now: now) }
        let dropped = dropLate(now: now)
        return (takeNext(), dropped)
    }

    /// Drops what is hopelessly late.
    ///
    /// - Returns: how many operations that were.
    mutating func dropLate(now: MonotonicInstant) -> Int {
        if activity.isConstant { return usual.dropLate(now: now) }
        var dropped = 0
        while seeNext().duration(to: now) > maxLag {
            _ = takeNext()
            dropped += 1
        }
        return dropped
    }

    /// Drops what is due and has not been taken.
    ///
    /// - Returns: how many operations that were.
    mutating func dropDue(now: MonotonicInstant) -> Int {
        if activity.isConstant { return usual.dropDue(now: now) }
        var dropped = 0
        while takeNext() <= now { dropped += 1 }
        return dropped
    }

    private mutating func takeNext() -> MonotonicInstant {
        let due = seeNext()
        if let nextAdded, let nextUsual, nextAdded < nextUsual { self.nextAdded = nil } else { nextUsual = nil }
        return due
    }

    private mutating func seeNext() -> MonotonicInstant {
        let usualDue = nextUsual ?? Self.next(&usual, from: start) { activity.nextLoad(from: $0) }
        nextUsual = usualDue
        guard added != nil else { return usualDue }
        let addedDue = nextAdded ?? nextInBurst()
        nextAdded = addedDue
        return min(usualDue, addedDue)
    }

    private mutating func nextInBurst() -> MonotonicInstant {
        guard var schedule = added else { return .distantFuture }
        defer { added = schedule }
        return Self.next(&schedule, from: start) { activity.nextBurst(from: $0) }
    }

    /// The next arrival that is wanted. What is not wanted is skipped as a whole, not one by one: it may be a day's.
    ///
    /// - Parameter firstWanted: the first wanted time from this one on.
    private static func next(
        _ schedule: inout ArrivalSchedule, from start: MonotonicInstant, _ firstWanted: (Duration) -> Duration?
    ) -> MonotonicInstant {
        while true {
            let due = schedule.take(now: start).dueAt
            let offset = start.duration(to: due)
            guard let wanted = firstWanted(offset) else { return .distantFuture }
            if wanted <= offset { return due }
            schedule.skip(to: start.advanced(by: wanted))
        }
    }
}
