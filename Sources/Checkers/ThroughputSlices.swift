import RigModel

/// What the workers achieved in each tenth of a second. A mergeable fold; about 0.3 kB for each slice in which something
/// began or ended (10 MB an hour).
struct ThroughputSlices: Sendable {
    static let sliceNanoseconds: Int64 = 100_000_000
    /// The sliding window over which rates and quantiles are taken: one second.
    static let slicesPerWindow = 10

    struct Slice: Sendable {
        var ok = 0
        /// Ended in `fail` or `info`.
        var lost = 0
        var begun = 0
        /// Were due by the schedule, where there is one; the others are of other slices.
        var due = 0
        /// Bit n: an operation ended in `ok` in the n-th millisecond of the slice.
        var okMilliseconds: UInt128 = 0
        /// Of operations that ended in `ok`.
        var latency = LatencySketch()
        /// Of all operations that ended.
        var longestNanoseconds: Int64 = 0

        mutating func add(_ event: Event, latency: Int64) {
            if event.kind == .ok {
                ok += 1
                okMilliseconds |= 1 << UInt128(event.time % sliceNanoseconds / 1_000_000)
                self.latency.add(nanoseconds: latency)
            } else {
                lost += 1
            }
            longestNanoseconds = max(longestNanoseconds, latency)
        }

        mutating func merge(_ other: Slice) {
            ok += other.ok
            lost += other.lost
            begun += other.begun
            due += other.due
            okMilliseconds |= other.okMilliseconds
            latency.merge(other.latency)
            longestNanoseconds = max(longestNanoseconds, other.longestNanoseconds)
        }
    }

    private var slices: [Int64: Slice] = [:]
    private var pairing = OperationPairing()

    mutating func observe(_ event: Event) {
        guard let ended = pairing.observe(event) else {
            if case .worker = event.process, event.kind == .invoke {
                slices[Self.number(at: event.time), default: Slice()].begun += 1
            }
            return
        }
        slices[Self.number(at: event.time), default: Slice()].add(event, latency: ended.latencyNanoseconds)
        if let lag = event.completion?.lagNanoseconds {
            slices[Self.number(at: max(0, ended.begun.time - lag)), default: Slice()].due += 1
        }
    }

    mutating func merge(_ other: ThroughputSlices) {
        pairing.merge(other.pairing)
        slices.merge(other.slices) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    /// The slice in which a time lies.
    static func number(at time: Int64) -> Int64 { time / sliceNanoseconds }

    subscript(number: Int64) -> Slice? { slices[number] }

    /// The highest number of a slice in which something began or ended.
    var lastNumber: Int64? { slices.keys.max() }

    func okCount(_ numbers: Range<Int64>) -> Int { numbers.reduce(0) { $0 + (slices[$1]?.ok ?? 0) } }
    func dueCount(_ numbers: Range<Int64>) -> Int { numbers.reduce(0) { $0 + (slices[$1]?.due ?? 0) } }
    func lostCount(_ numbers: Range<Int64>) -> Int { numbers.reduce(0) { $0 + (slices[$1]?.lost ?? 0) } }
    func longest(_ numbers: Range<Int64>) -> Int64 {
        numbers.reduce(0) { max($0, slices[$1]?.longestNanoseconds ?? 0) }
    }

    /// Time between two in which nobody asked for anything: no operation began, ended or was under way, for a whole second or
    /// longer. O(slices).
    func unasked(from: Int64, to: Int64) -> Int64 {
        guard to > from else { return 0 }
        var sum: Int64 = 0
        var open = 0
        var quietSince: Int64?
        func count(until number: Int64) {
            guard let since = quietSince, number - since >= Int64(Self.slicesPerWindow) else { return }
            sum += max(0, min(number * Self.sliceNanoseconds, to) - max(since * Self.sliceNanoseconds, from))
        }
        let last = Self.number(at: to)
        for number in slices.keys.sorted() where number <= last {
            guard let slice = slices[number] else { continue }
            count(until: number)
            open += slice.begun - slice.ok - slice.lost
            quietSince = open == 0 ? number + 1 : nil
        }
        count(until: last + 1)
        return sum
    }

    /// The 95th percentile of the latency of what succeeded in these slices; `nil` when nothing did.
    func p95(_ numbers: Range<Int64>) -> Int64? {
        var sum = LatencySketch()
        for number in numbers { if let slice = slices[number] { sum.merge(slice.latency) } }
        return sum.nanoseconds(atQuantile: 0.95)
    }

    /// When the first operation ended in `ok` at or after `time` and before `end`, to the millisecond, never before
    /// `time`; `nil` when none did.
    func firstOk(from time: Int64, before end: Int64) -> Int64? {
        guard let lastNumber, time < end else { return nil }
        var number = Self.number(at: time)
        var sieve = UInt128.max << UInt128(time % Self.sliceNanoseconds / 1_000_000)
        while number <= lastNumber {
            let found = (slices[number]?.okMilliseconds ?? 0) & sieve
            if found != 0 {
                let at = number * Self.sliceNanoseconds + Int64(found.trailingZeroBitCount) * 1_000_000
                return at < end ? max(at, time) : nil
            }
            sieve = .max
            number += 1
        }
        return nil
    }
}
