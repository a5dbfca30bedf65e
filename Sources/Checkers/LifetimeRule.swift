import RigModel

/// Which connections were older than `max_lifetime` allows: lent out although they were too old, or kept although nobody held
/// them. A lease that is out when the time has come counts until its return; one that never came back counts for ever.
struct LifetimeRule {
    struct Overdue {
        var life: ConnectionLives.Life
        /// When its time had come.
        var due: Int64
        /// When it was lent out too late; else until when it was kept.
        var seen: FaultTimeline.Moment
        var wasLent: Bool
        /// By how much the limit was extended, because the machine stood still.
        var stalled: Int64
    }

    var maxLifetime: Int64
    var tolerance: Int64

    /// - Parameter end: when the observation ended; connections that are still open are judged up to there.
    /// - Returns: in the order of the connections' numbers.
    func overdue(_ lives: ConnectionLives, _ surroundings: Surroundings, end: FaultTimeline.Moment) -> [Overdue] {
        lives.opened.compactMap { overdue($0, surroundings, end) }
    }

    private func overdue(
        _ life: ConnectionLives.Life, _ surroundings: Surroundings, _ end: FaultTimeline.Moment
    ) -> Overdue? {
        guard let opened = life.opened else { return nil }
        let due = opened.time + maxLifetime
        let stalled = surroundings.stalled(from: due, to: due + tolerance)
        let late = due + tolerance + stalled
        if let lease = life.lease, lease.leasedAt > late {
            let seen = FaultTimeline.Moment(index: lease.at.index, time: lease.leasedAt)
            return Overdue(life: life, due: due, seen: seen, wasLent: true, stalled: stalled)
        }
        var free = due
        if let lease = life.lease, (lease.returnedAt ?? .max) > due {
            guard let returned = lease.returnedAt else { return nil }
            free = returned
        }
        let wait = surroundings.stalled(from: free, to: free + tolerance)
        let until = life.closed ?? end
        guard until.time > free + tolerance + wait else { return nil }
        return Overdue(life: life, due: due, seen: until, wasLent: false, stalled: wait)
    }
}

extension LifetimeRule.Overdue {
    func finding(_ maxLifetime: Int64, _ tolerance: Int64, _ faults: FaultWindows) -> Finding {
        let opened = life.opened ?? seen
        let age = (seen.time - opened.time).words
        return Finding(
            title: "Connection \(life.connection) was \(wasLent ? "lent out" : "kept until it was") \(age) old",
            expected: "closed at the age of \(maxLifetime.words) + \(tolerance.words)\(stallWords(stalled)), "
                + "or when its borrower gave it back",
            seen: wasLent ? "lent out at \(seen.time.words)" : ending, events: [opened.index, seen.index], time: due,
            activeFault: faults.words(from: due, to: seen.time))
    }

    private var ending: String {
        guard let closed = life.closed else { return "never closed" }
        return "closed at \(closed.time.words) (\(life.reason ?? "no reason told"))"
    }
}
