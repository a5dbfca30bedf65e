import RigModel

/// In which tenths of a second a worker began or ended an operation. A mergeable fold; one bit for each.
struct ActivitySlices: Sendable, Equatable {
    private static let length: Int64 = 100_000_000
    private static let yearNanoseconds: Int64 = 31_536_000_000_000_000
    private var bits: [UInt64] = []

    mutating func observe(_ event: Event) {
        guard case .worker = event.process else { return }
        mark(event.time)
    }

    mutating func mark(_ time: Int64) {
        let number = Int(time / Self.length)
        // A time beyond a year is no time of a run.
        guard number >= 0, number < 315_360_000 else { return }
        if number / 64 >= bits.count { bits.append(contentsOf: repeatElement(0, count: number / 64 + 1 - bits.count)) }
        bits[number / 64] |= 1 << UInt64(number % 64)
    }

    /// Marks all slices that a span of time touches.
    mutating func mark(from: Int64, to: Int64) {
        var time = max(0, from)
        let end = min(to, Self.yearNanoseconds)
        while time < end {
            mark(time)
            time += Self.length
        }
        mark(max(0, to))
    }

    /// Something was marked in a slice that a span of time touches.
    func hasMark(from: Int64, to: Int64) -> Bool {
        first(from: max(0, from) / Self.length * Self.length).map { $0 <= to } ?? false
    }

    mutating func merge(_ other: ActivitySlices) {
        if other.bits.count > bits.count {
            bits.append(contentsOf: repeatElement(0, count: other.bits.count - bits.count))
        }
        for (position, word) in other.bits.enumerated() { bits[position] |= word }
    }

    /// The begin of the first marked slice that begins at or after a time; `nil` when there is none.
    func first(from time: Int64) -> Int64? {
        let start = Int((max(time, 0) + Self.length - 1) / Self.length)
        var position = start / 64
        var mask = UInt64.max << UInt64(start % 64)
        while position < bits.count {
            let word = bits[position] & mask
            if word != 0 { return Int64(position * 64 + word.trailingZeroBitCount) * Self.length }
            mask = .max
            position += 1
        }
        return nil
    }

    /// The begin of the last marked slice that begins at or before a time; `nil` when there is none.
    func last(to time: Int64) -> Int64? {
        let end = max(time, 0) / Self.length
        var position = Int(min(end / 64, Int64(bits.count)))
        var mask = UInt64.max >> UInt64(63 - end % 64)
        if position == bits.count { (position, mask) = (bits.count - 1, .max) }
        while position >= 0 {
            let word = bits[position] & mask
            if word != 0 { return Int64(position * 64 + 63 - word.leadingZeroBitCount) * Self.length }
            mask = .max
            position -= 1
        }
        return nil
    }

    /// The longest time within a span in which nothing was marked.
    func longestQuiet(from: Int64, to: Int64) -> Range<Int64> {
        var best = from..<from
        var begin = from
        while begin < to {
            // The slice that a span begins in counts as quiet: what was marked there may lie before.
            let next = min(first(from: begin) ?? to, to)
            if next - begin > best.upperBound - best.lowerBound { best = begin..<next }
            begin = max(next, begin) + Self.length
        }
        return best
    }
}
