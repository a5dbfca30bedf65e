import Glibc
import RigModel

/// Round numbers on an axis.
enum NiceTicks {
    /// 1, 2 or 5 times a power of ten apart, from 0 to the first one that is not below the maximum.
    ///
    /// - Parameter count: about so many steps.
    static func linear(to maximum: Double, count: Int) -> [Double] {
        guard maximum > 0, maximum.isFinite else { return [0, 1] }
        let rough = maximum / Double(max(count, 1))
        var magnitude = 1.0
        while magnitude > rough { magnitude /= 10 }
        while magnitude * 10 <= rough { magnitude *= 10 }
        let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough * 0.999 } ?? magnitude * 10
        let steps = Int((maximum / step - 1e-9).rounded(.up))
        return (0...max(steps, 1)).map { Double($0) * step }
    }

    /// The same for things that are counted: no fractions.
    static func counts(to maximum: Double, count: Int) -> [Double] {
        maximum <= Double(count)
            ? (0...max(Int(maximum.rounded(.up)), 1)).map(Double.init) : linear(to: maximum, count: count)
    }

    /// Bounds and ticks of a logarithmic axis of durations, in nanoseconds.
    static func logarithmic(from low: Double, to high: Double) -> [Double] {
        let low = max(low, 1000)
        let high = max(high, low * 1.01)
        var decade = 1000.0
        while decade * 10 <= low { decade *= 10 }
        var all: [Double] = []
        while decade <= high * 10 {
            all += [decade, decade * 2, decade * 5]
            decade *= 10
        }
        let first = all.lastIndex { $0 <= low } ?? 0
        let last = all.firstIndex { $0 >= high } ?? all.count - 1
        let inside = Array(all[first...max(last, first + 1)])
        // Beyond two decades the decades are enough, and the two ends.
        guard inside.count > 6 else { return inside }
        // As far apart as their labels are high.
        let (bottom, top) = (inside[0], inside[inside.count - 1])
        let gap = max(log10(top / bottom) / 7, 0.47)
        let decades = inside.filter { isDecade($0) && log10($0 / bottom) >= gap && log10(top / $0) >= gap }
        return [bottom] + decades + [top]
    }

    private static func isDecade(_ number: Double) -> Bool { abs(log10(number) - log10(number).rounded()) < 1e-9 }

    private static let seconds: [Double] = [
        0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800,
        86_400,
    ]

    /// Times within a span, at multiples of a step that a clock has; at most 16.
    static func times(_ span: Range<Int64>) -> [Int64] {
        let step = step(of: span.upperBound - span.lowerBound, atMost: 15)
        let first = (span.lowerBound + step - 1) / step
        guard first * step <= span.upperBound else { return [] }
        return (first...span.upperBound / step).map { $0 * step }
    }

    /// Of a clock, so that a length has at most so many of them; in nanoseconds.
    static func step(of length: Int64, atMost count: Double) -> Int64 {
        let length = Double(length) / 1e9
        if let step = seconds.first(where: { length / $0 <= count }) { return Int64(step * 1e9) }
        var days = 1.0
        while length / (days * 86_400) > count { days *= 2 }
        return Int64(days * 86_400e9)
    }

    /// A tick of a time axis: `5 s`, `1:30`.
    static func timeLabel(_ time: Int64, upTo end: Int64) -> String {
        guard end >= 120_000_000_000 else { return "\(NumberText.decimal(Double(time) / 1e9, 2)) s" }
        let whole = Int(time / 1_000_000_000)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return end < 3_600_000_000_000
            ? "\(whole / 60):\(two(whole % 60))" : "\(whole / 3600):\(two(whole / 60 % 60)):\(two(whole % 60))"
    }
}
