package import RigModel
import Threading

/// When the load is quiet, usual, or a burst. Pure; times count from the workload's start.
///
/// A burst that would come in a quiet time comes when that ends: after a quiet time is when a burst finds the pool cold.
package struct ActivityPlan: Sendable, Equatable {
    private struct Window: Equatable {
        let every: Int64
        let length: Int64

        init?(_ window: ClientBehaviour.Window?) {
            guard let window, window.every > .zero else { return nil }
            every = window.every.nanoseconds
            length = window.duration.nanoseconds
        }
    }

    private let quiet: Window?
    private let burst: Window?
    private let factor: Int

    package init(_ behaviour: ClientBehaviour = ClientBehaviour()) {
        quiet = Window(behaviour.quiet)
        burst = behaviour.burstFactor > 1 ? Window(behaviour.burst) : nil
        factor = behaviour.burstFactor
    }

    /// The load never changes.
    package var isConstant: Bool { quiet == nil && burst == nil }

    package var highest: Int { burst == nil ? 1 : factor }

    /// 0 in a quiet time, 1 usually, the factor in a burst.
    package func level(at offset: Duration) -> Int {
        let now = offset.nanoseconds
        if quietStart(covering: now) != nil { return 0 }
        return isBurst(now) ? factor : 1
    }

    /// The quiet time that it is now, or that comes next; `nil`: there are none.
    package func nextQuiet(after offset: Duration) -> Range<Duration>? {
        guard let quiet else { return nil }
        let now = max(0, offset.nanoseconds)
        var start = max(1, now / quiet.every) * quiet.every
        if start + quiet.length <= now { start += quiet.every }
        return .nanoseconds(start) ..< .nanoseconds(start + quiet.length)
    }

    /// The first time from this one on at which something is done at all.
    func nextLoad(from offset: Duration) -> Duration { .nanoseconds(pastQuiet(offset.nanoseconds)) }

    /// The first time from this one on that lies in a burst; `nil`: there are none. By arithmetic: a burst may be a day away.
    func nextBurst(from offset: Duration) -> Duration? {
        guard let burst else { return nil }
        let now = pastQuiet(max(0, offset.nanoseconds))
        if isBurst(now) { return .nanoseconds(now) }
        return .nanoseconds(pastQuiet((now / burst.every + 1) * burst.every))
    }

    private func quietStart(covering now: Int64) -> Int64? {
        guard let quiet, now >= quiet.every else { return nil }
        let start = now / quiet.every * quiet.every
        return now < start + quiet.length ? start : nil
    }

    /// The time itself, or the end of the quiet time that covers it.
    private func pastQuiet(_ now: Int64) -> Int64 {
        guard let quiet, let start = quietStart(covering: now) else { return now }
        return start + quiet.length
    }

    /// - Parameter now: in no quiet time. So whatever burst was due by now has begun by now, and the last of them ends last.
    private func isBurst(_ now: Int64) -> Bool {
        guard let burst, now >= burst.every else { return false }
        return now < pastQuiet(now / burst.every * burst.every) + burst.length
    }
}
