import Threading

/// Toxiproxy's `bandwidth`: at most `rate` KB/s (1 KB is 1000 bytes) go on in this stream of the connection; at 0 nothing.
///
/// A line that was free takes no credit along. Chunks go on in pieces of at most 10 ms, so that the stream flows and does
/// not come in bursts; pieces that a late waking has piled up go on together, and the mean rate stays exact.
package struct BandwidthToxic: Toxic {
    package static let type = ToxicType(
        "bandwidth", "limits the rate of a stream",
        [.count("rate", .kilobytesPerSecond, "kilobytes (1000 bytes) per second; 0 lets nothing pass")],
        isToxiproxys: true, make: { BandwidthToxic($0) })

    package let attributes: ToxicAttributes
    /// KB/s, which is the same as bytes per millisecond. Kept below what the arithmetic can do, and far above any line.
    let rate: Int64

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        rate = min(attributes.integer("rate"), 1 << 40)
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? {
        BandwidthStage(rate: rate, now: context.now)
    }
}

struct BandwidthStage: ToxicStage {
    /// Milliseconds that a piece takes at most.
    private static let pieceLength: Int64 = 10

    private var rate: Int64
    private var held = HeldStream()
    /// When the last piece had gone on in full.
    private var freeAt: MonotonicInstant

    init(rate: Int64, now: MonotonicInstant) {
        self.rate = rate
        freeAt = now
    }

    var heldBytes: Int { held.byteCount }
    var wakeAt: MonotonicInstant? { next?.due }

    private var next: (count: Int, due: MonotonicInstant)? {
        guard rate > 0, let arrival = held.firstArrival else { return nil }
        let count = min(Int64(held.firstCount), rate * Self.pieceLength)
        let start = max(freeAt, arrival)
        return (Int(count), start.after(nanoseconds: Int64(Double(count) * 1e6 / Double(rate))))
    }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.append(chunk, due: chunk.arrival)
        passDue(now, into: &effects)
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.hasEnd = true
        passDue(now, into: &effects)
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) { passDue(now, into: &effects) }

    private mutating func passDue(_ now: MonotonicInstant, into effects: inout [StageEffect]) {
        while let (count, due) = next, due <= now {
            freeAt = due
            effects.append(.pass(held.take(count)))
        }
        held.passEnd(into: &effects)
    }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? BandwidthToxic else { return }
        passDue(now, into: &effects)
        // The time in which nothing could pass is no credit.
        if rate == 0 { freeAt = now }
        rate = toxic.rate
        passDue(now, into: &effects)
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) { held.passAll(into: &effects) }
}
