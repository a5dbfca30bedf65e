/// A log-linear histogram of durations: 128 linear steps per power of two, so a quantile is at most 0.8 % off.
///
/// A value in bounded memory (about 4 700 counters, allocated as needed). Adding is O(1), merging and quantiles O(counters).
public struct LatencyHistogram: Sendable, Equatable {
    private static let linearBits = 7
    private var counts: [UInt64] = []
    /// The number of durations added.
    public private(set) var count: UInt64 = 0
    /// All durations added, in sum, exact.
    public private(set) var sumNanoseconds: UInt64 = 0
    /// The largest duration added, exact, in nanoseconds.
    public private(set) var maxNanoseconds: Int64 = 0

    public init() {}

    /// Adds one duration. Negative ones count as 0.
    public mutating func add(nanoseconds: Int64) {
        let value = UInt64(max(nanoseconds, 0))
        let index = Self.index(of: value)
        if index >= counts.count { counts.append(contentsOf: repeatElement(0, count: index + 1 - counts.count)) }
        counts[index] += 1
        count += 1
        sumNanoseconds &+= value
        maxNanoseconds = max(maxNanoseconds, Int64(clamping: value))
    }

    public mutating func merge(_ other: LatencyHistogram) {
        if other.counts.count > counts.count {
            counts.append(contentsOf: repeatElement(0, count: other.counts.count - counts.count))
        }
        for (index, value) in other.counts.enumerated() { counts[index] += value }
        count += other.count
        sumNanoseconds &+= other.sumNanoseconds
        maxNanoseconds = max(maxNanoseconds, other.maxNanoseconds)
    }

    /// The duration within which a share of the samples lies (nearest rank), rounded up to its step; never above the
    /// largest sample. `nil` when nothing was added.
    ///
    /// - Parameter quantile: a share in `0...1`; values outside are clamped.
    public func nanoseconds(atQuantile quantile: Double) -> Int64? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((min(max(quantile, 0), 1) * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for (index, value) in counts.enumerated() {
            seen += value
            if seen >= rank { return min(Int64(clamping: Self.upperBound(of: index)), maxNanoseconds) }
        }
        return maxNanoseconds
    }

    /// The steps that hold something, from the shortest: every duration from `first` to `last`, both included, in nanoseconds.
    public func forEachStep(_ body: (_ first: UInt64, _ last: UInt64, _ count: UInt64) -> Void) {
        for (index, count) in counts.enumerated() where count > 0 {
            body(index == 0 ? 0 : Self.upperBound(of: index - 1) + 1, Self.upperBound(of: index), count)
        }
    }

    private static func index(of value: UInt64) -> Int {
        let linear = UInt64(1) << linearBits
        if value < linear { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount - linearBits
        return (exponent + 1) << linearBits + Int((value >> UInt64(exponent)) - linear)
    }

    private static func upperBound(of index: Int) -> UInt64 {
        let linear = 1 << linearBits
        if index < linear { return UInt64(index) }
        let exponent = UInt64(index >> linearBits - 1)
        let step = UInt64(index & (linear - 1) + linear)
        return (step + 1) << exponent - 1
    }
}
