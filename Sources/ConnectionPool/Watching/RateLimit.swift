public import Threading

/// At most so many in a row, and then one for each interval (a token bucket). Pure.
public struct RateLimit: Sendable {
    private let burst: Int
    private let intervalNanoseconds: UInt64
    private var tokens: Int
    private var refilledAt: MonotonicInstant

    public init(burst: Int, interval: Duration, now: MonotonicInstant) {
        self.burst = max(1, burst)
        intervalNanoseconds = UInt64(max(1, interval.nanoseconds))
        tokens = self.burst
        refilledAt = now
    }

    /// Whether one more is allowed now; it then counts.
    public mutating func allow(now: MonotonicInstant) -> Bool {
        let elapsed = now.nanoseconds > refilledAt.nanoseconds ? now.nanoseconds - refilledAt.nanoseconds : 0
        let gained = elapsed / intervalNanoseconds
        if gained > 0 {
            tokens = min(burst, tokens + Int(clamping: gained))
            refilledAt = MonotonicInstant(nanoseconds: refilledAt.nanoseconds + gained * intervalNanoseconds)
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}
