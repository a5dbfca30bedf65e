package import Threading

/// When operations of an open model are due: evenly spaced from the start, whatever the server does. Pure.
package struct ArrivalSchedule: Sendable {
    package let start: MonotonicInstant
    package let ratePerSecond: Double
    /// An operation that could not start for this long is dropped.
    package let maxLag: Duration
    private var next = 0

    /// - Parameter ratePerSecond: more than 0.
    package init(start: MonotonicInstant, ratePerSecond: Double, maxLag: Duration) {
        precondition(ratePerSecond > 0, "an open workload needs a rate above 0/s, not \(ratePerSecond)/s")
        self.start = start
        self.ratePerSecond = ratePerSecond
        self.maxLag = maxLag
    }

    /// The time of the next operation that is not hopelessly late, and how many were dropped on the way to it.
    package mutating func take(now: MonotonicInstant) -> (dueAt: MonotonicInstant, dropped: Int) {
        let dropped = dropLate(now: now)
        defer { next += 1 }
        return (dueAt(next), dropped)
    }

    /// Drops what is hopelessly late.
    ///
    /// - Returns: how many operations that were.
    package mutating func dropLate(now: MonotonicInstant) -> Int {
        let oldest = start.duration(to: now) - maxLag
        let firstKept = oldest > .zero ? index((oldest.seconds * ratePerSecond).rounded(.up)) : 0
        defer { next = max(next, firstKept) }
        return max(0, firstKept - next)
    }

    /// Drops what is due and has not been taken.
    ///
    /// - Returns: how many operations that were.
    package mutating func dropDue(now: MonotonicInstant) -> Int {
        guard now >= start else { return 0 }
        let firstKept = index(start.duration(to: now).seconds * ratePerSecond) + 1
        defer { next = max(next, firstKept) }
        return max(0, firstKept - next)
    }

    /// Takes what is due before this time, and counts none of it as dropped.
    mutating func skip(to instant: MonotonicInstant) {
        guard instant > start else { return }
        // What falls on the very instant stays, however the product was rounded.
        next = max(next, index((start.duration(to: instant).seconds * ratePerSecond - 1e-6).rounded(.up)))
    }

    private func index(_ number: Double) -> Int { Int(max(0, min(number, 1e18))) }

    private func dueAt(_ index: Int) -> MonotonicInstant {
        // A century is as good as never, and fits.
        let offset = min(Double(index) / ratePerSecond, 3e9)
        return start.advanced(by: .nanoseconds(Int64((offset * 1e9).rounded())))
    }
}
