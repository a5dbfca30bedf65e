/// A small log-linear histogram of durations for one slice of time: 16 steps per power of two, so a quantile is at most
/// 6 % too high. Only steps that were hit take memory (8 bytes each; a slice rarely hits more than fifty).
struct LatencySketch: Sendable, Equatable {
    private static let linearBits = 4
    /// Sorted by step.
    private var counts: [(step: UInt16, count: UInt32)] = []
    private(set) var count: UInt64 = 0

    mutating func add(nanoseconds: Int64) { add(Self.step(of: UInt64(max(nanoseconds, 0))), 1) }

    mutating func merge(_ other: LatencySketch) {
        for entry in other.counts { add(entry.step, entry.count) }
    }

    /// The duration within which a share of the samples lies (nearest rank), rounded up to its step; `nil` when empty.
    func nanoseconds(atQuantile quantile: Double) -> Int64? { step(atQuantile: quantile)?.upperBound }

    /// The step in which that duration lies, from its shortest to its longest duration; `nil` when empty.
    ///
    /// - Parameters:
    ///   - shorter: so many more would have been shorter than all of these; a step of 0 when it lies among them.
    ///   - longer: so many more would have been longer; the longest step when it lies among them.
    func step(atQuantile quantile: Double, shorter: UInt64 = 0, longer: UInt64 = 0) -> ClosedRange<Int64>? {
        guard count > 0, var step = counts.last?.step else { return nil }
        let place = max(1, UInt64((quantile * Double(count + shorter + longer)).rounded(.up)))
        if place <= shorter { return 0...0 }
        let rank = place - shorter
        if rank > count, longer > 0 { return .max ... .max }
        var seen: UInt64 = 0
        for entry in counts {
            seen += UInt64(entry.count)
            if seen >= rank {
                step = entry.step
                break
            }
        }
        let lower = step == 0 ? 0 : Self.upperBound(of: Int(step) - 1) + 1
        return Int64(clamping: lower)...Int64(clamping: Self.upperBound(of: Int(step)))
    }

    private mutating func add(_ step: UInt16, _ number: UInt32) {
        count += UInt64(number)
        var low = 0
        var high = counts.count
        while low < high {
            let middle = (low + high) / 2
            if counts[middle].step < step { low = middle + 1 } else { high = middle }
        }
        if low < counts.count, counts[low].step == step {
            counts[low].count = counts[low].count.addingReportingOverflow(number).partialValue
        } else {
            counts.insert((step, number), at: low)
        }
    }

    private static func step(of value: UInt64) -> UInt16 {
        let linear = UInt64(1) << linearBits
        if value < linear { return UInt16(value) }
        let exponent = 63 - value.leadingZeroBitCount - linearBits
        return UInt16((exponent + 1) << linearBits + Int((value >> UInt64(exponent)) - linear))
    }

    private static func upperBound(of step: Int) -> UInt64 {
        let linear = 1 << linearBits
        if step < linear { return UInt64(step) }
        let exponent = UInt64(step >> linearBits - 1)
        return (UInt64(step & (linear - 1) + linear) + 1) << exponent - 1
    }

    static func == (a: LatencySketch, b: LatencySketch) -> Bool {
        a.count == b.count && a.counts.elementsEqual(b.counts) { $0 == $1 }
    }
}
