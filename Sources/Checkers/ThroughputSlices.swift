import RigModel

/// What the workers achieved in each tenth of a second. A mergeable fold; about 0.3 kB for each slice in which something
/// ended (10 MB an hour).
struct ThroughputSlices: Sendable {
    static let sliceNanoseconds: Int64 = 100_000_000
    /// The sliding window over which rates and quantiles are taken: one second.
    static let slicesPerWindow = 10

    struct Slice: Sendable {
        var ok = 0
        /// Ended in `fail` or `info`.
        var lost = 0
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
            okMilliseconds |= other.okMilliseconds
            latency.merge(other.latency)
            longestNanoseconds = max(longestNanoseconds, other.longestNanoseconds)
        }
    }

    private var slices: [Int64: Slice] = [:]
    private var pairing = OperationPairing()

    mutating func observe(_ event: Event) {
        guard let ended = pairing.observe(event) else { return }
        slices[Self.number(at: event.time), default: Slice()].add(event, latency: ended.latencyNanoseconds)
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

    /// The highest number of a slice in which something ended.
    var lastNumber: Int64? { slices.keys.max() }

    func okCount(_ numbers: Range<Int64>) -> Int { numbers.reduce(0) { $0 + (slices[$1]?.ok ?? 0) } }
    func lostCount(_ numbers: Range<Int64>) -> Int { numbers.reduce(0) { $0 + (slices[$1]?.lost ?? 0) } }
    func longest(_ numbers: Range<Int64>) -> Int64 {
        numbers.reduce(0) { max($0, slices[$1]?.longestNanoseconds ?? 0) }
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
