package import Threading

/// When operations of an open model are due: evenly spaced from the start, whatever the server does. Pure.
package struct ArrivalSchedule: Sendable {
    package let start: MonotonicInstant
    package let ratePerSecond: Double
    /// An operation that could not start for this long is dropped.
    package let maxLag: Duration
    private var next = 0

    package init(start: MonotonicInstant, ratePerSecond: Double, maxLag: Duration) {
        self.start = start
        self.ratePerSecond = ratePerSecond
        self.maxLag = maxLag
    }

    /// The time of the next operation that is not hopelessly late, and how many were dropped on the way to it.
    package mutating func take(now: MonotonicInstant) -> (dueAt: MonotonicInstant, dropped: Int) {
        let oldest = start.duration(to: now) - maxLag
        let firstKept = oldest > .zero ? Int((oldest.seconds * ratePerSecond).rounded(.up)) : 0
        let dropped = max(0, firstKept - next)
        let taken = next + dropped
        next = taken + 1
        return (start.advanced(by: .nanoseconds(Int64(Double(taken) / ratePerSecond * 1e9))), dropped)
    }
}
