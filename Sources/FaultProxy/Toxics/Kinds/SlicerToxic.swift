import RigModel
import Threading

/// Toxiproxy's `slicer`: cuts chunks into slices of about `average_size` ± `size_variation` bytes, and pauses for `delay`
/// microseconds after each.
///
/// With an average of 0 chunks stay whole (Toxiproxy recurses for ever there); the variation counts up to one below the
/// average (Toxiproxy makes slices of negative length above).
package struct SlicerToxic: Toxic {
    package static let type = ToxicType(
        "slicer", "cuts chunks into small slices with a pause after each",
        [
            .count("average_size", .bytes, "bytes of a slice on average; 0 leaves chunks whole"),
            .count("size_variation", .bytes, "largest difference from the average in bytes; less than the average"),
            .count("delay", .microseconds, "pause after each slice in microseconds"),
        ], isToxiproxys: true, make: { SlicerToxic($0) })

    package let attributes: ToxicAttributes
    let averageSize: Int
    let variation: Int
    /// Nanoseconds.
    let delay: Int64

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        // No chunk comes near that limit, and sums of two stay numbers.
        averageSize = Int(min(attributes.integer("average_size"), 1 << 40))
        variation = Int(min(attributes.integer("size_variation"), Int64(max(averageSize - 1, 0))))
        delay = ToxicTime.nanoseconds(microseconds: attributes.integer("delay"))
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? {
        SlicerStage(toxic: self, generator: context.generator)
    }
}

struct SlicerStage: ToxicStage {
    private var toxic: SlicerToxic
    private var generator: SeededGenerator
    private var held = HeldStream()
    /// Parts of the first chunk that may still have to be cut, the first one last: the open branches of Toxiproxy's recursion.
    private var parts: [Int] = []
    private var lastSliceAt: MonotonicInstant?

    init(toxic: SlicerToxic, generator: SeededGenerator) {
        self.toxic = toxic
        self.generator = generator
    }

    var heldBytes: Int { held.byteCount }

    var wakeAt: MonotonicInstant? {
        held.isEmpty ? nil : lastSliceAt?.after(nanoseconds: toxic.delay) ?? held.firstArrival
    }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.append(chunk, due: chunk.arrival)
        wake(now: now, into: &effects)
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.hasEnd = true
        wake(now: now, into: &effects)
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {
        while let due = wakeAt, due <= now {
            effects.append(.pass(held.take(nextSlice())))
            // From now and not from when it was due: the pause is what the toxic is for, not the rate.
            lastSliceAt = now
        }
        held.passEnd(into: &effects)
    }

    /// Halves the part, give or take the variation, until a slice is small enough.
    private mutating func nextSlice() -> Int {
        var part = parts.popLast() ?? held.firstCount
        while toxic.averageSize > 0, part > toxic.averageSize + toxic.variation {
            var left = part / 2
            if toxic.variation > 0 { left += Int.random(in: -toxic.variation..<toxic.variation, using: &generator) }
            left = min(max(left, 1), part - 1)
            parts.append(part - left)
            part = left
        }
        return part
    }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? SlicerToxic else { return }
        self.toxic = toxic
        parts = []
        wake(now: now, into: &effects)
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {
        parts = []
        held.passAll(into: &effects)
    }
}
