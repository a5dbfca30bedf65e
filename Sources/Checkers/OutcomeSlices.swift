import RigModel

/// How many operations ended well and how many did not in each tenth of a second, but for those that their clients ended. A
/// mergeable fold; 8 bytes a slice.
struct OutcomeSlices: Sendable {
    static let length: Int64 = 100_000_000

    private var ok: [UInt32] = []
    private var lost: [UInt32] = []

    mutating func observe(_ event: Event) {
        guard case .worker = event.process, event.kind != .invoke else { return }
        let number = Int(event.time / Self.length)
        if event.kind == .ok {
            Self.add(1, &ok, number)
        } else if !event.isClientsOwnEnd {
            Self.add(1, &lost, number)
        }
    }

    mutating func merge(_ other: OutcomeSlices) {
        for (number, count) in other.ok.enumerated() { Self.add(count, &ok, number) }
        for (number, count) in other.lost.enumerated() { Self.add(count, &lost, number) }
    }

    /// Operations that ended in the slices that a span of time touches.
    func counts(from: Int64, to: Int64) -> (ok: Int, lost: Int) {
        (Self.sum(ok, from, to), Self.sum(lost, from, to))
    }

    /// The longest time without an `ok` within a span, in whole slices.
    func longestGap(from: Int64, to: Int64) -> Range<Int64> {
        var best = from..<from
        var begin = from
        var number = from / Self.length
        while number * Self.length < to {
            let isBehind = number >= ok.count
            let isEmpty = isBehind || ok[Int(number)] == 0
            if isBehind { number = to / Self.length }
            let end = min(to, (number + 1) * Self.length)
            if !isEmpty { begin = end } else if end - begin > best.upperBound - best.lowerBound { best = begin..<end }
            number += 1
        }
        return best
    }

    private static func add(_ count: UInt32, _ counts: inout [UInt32], _ number: Int) {
        // A time beyond a year is no time of a run: nothing is kept for it.
        guard count > 0, number >= 0, number < 315_360_000 else { return }
        if number >= counts.count { counts.append(contentsOf: repeatElement(0, count: number + 1 - counts.count)) }
        counts[number] += count
    }

    private static func sum(_ counts: [UInt32], _ from: Int64, _ to: Int64) -> Int {
        let first = Int(max(from, 0) / length)
        let last = min(Int(max(to, 0) / length), counts.count - 1)
        return first <= last ? counts[first...last].reduce(0) { $0 + Int($1) } : 0
    }
}
