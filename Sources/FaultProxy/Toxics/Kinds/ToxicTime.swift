import Threading

/// Times of toxics, which may be as long as a number can say.
enum ToxicTime {
    /// A hundred years: longer than any proxy runs, and twice as much is still a number of nanoseconds.
    static let longest: Int64 = 100 * 31_557_600 * 1_000_000_000

    /// Nanoseconds, at most ``longest``. What is negative counts as 0.
    static func nanoseconds(milliseconds: Int64) -> Int64 { scaled(milliseconds, 1_000_000) }

    static func nanoseconds(microseconds: Int64) -> Int64 { scaled(microseconds, 1_000) }

    private static func scaled(_ value: Int64, _ unit: Int64) -> Int64 {
        let (product, overflow) = max(value, 0).multipliedReportingOverflow(by: unit)
        return overflow ? longest : min(product, longest)
    }
}

extension MonotonicInstant {
    /// So much later; ``distantFuture`` where that is too far away to be said. Cheaper than with a `Duration`, which is 128
    /// bits wide.
    func after(nanoseconds delay: Int64) -> MonotonicInstant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(UInt64(max(delay, 0)))
        return overflow ? .distantFuture : MonotonicInstant(nanoseconds: sum)
    }

    /// Nanoseconds since an earlier time; 0 when it is not earlier.
    func nanoseconds(since earlier: MonotonicInstant) -> Int64 {
        self > earlier ? Int64(clamping: nanoseconds - earlier.nanoseconds) : 0
    }
}
