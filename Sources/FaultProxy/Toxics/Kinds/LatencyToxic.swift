import RigModel
import Threading

/// Toxiproxy's `latency`: every chunk goes on `latency` ± `jitter` milliseconds after it came, evenly distributed, never
/// before it came.
///
/// Chunks do not overtake each other, so under jitter the mean hold of dense traffic lies above `latency`. The end of the
/// stream is not delayed itself; it follows the last chunk. A change of the attributes holds for held chunks too, counted
/// from when they came.
package struct LatencyToxic: Toxic {
    package static let type = ToxicType(
        "latency", "delays every chunk, evenly distributed around a mean",
        [
            .count("latency", .milliseconds, "mean delay in milliseconds"),
            .count("jitter", .milliseconds, "largest difference from the mean, in milliseconds"),
        ], isToxiproxys: true, make: { LatencyToxic($0) })

    package let attributes: ToxicAttributes
    /// Nanoseconds.
    let latency: Int64
    let jitter: Int64

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        latency = ToxicTime.nanoseconds(milliseconds: attributes.integer("latency"))
        jitter = ToxicTime.nanoseconds(milliseconds: attributes.integer("jitter"))
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? {
        LatencyStage(toxic: self, generator: context.generator)
    }

    func delay(_ generator: inout SeededGenerator) -> Int64 {
        guard jitter > 0 else { return latency }
        return max(latency + Int64((generator.nextUnit() * 2 - 1) * Double(jitter)), 0)
    }
}

struct LatencyStage: ToxicStage {
    private var toxic: LatencyToxic
    private var generator: SeededGenerator
    private var held = HeldStream()

    init(toxic: LatencyToxic, generator: SeededGenerator) {
        self.toxic = toxic
        self.generator = generator
    }

    var heldBytes: Int { held.byteCount }
    var wakeAt: MonotonicInstant? { held.firstDue }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.append(chunk, due: chunk.arrival.after(nanoseconds: toxic.delay(&generator)))
        held.passDue(now, into: &effects)
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.hasEnd = true
        held.passDue(now, into: &effects)
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) { held.passDue(now, into: &effects) }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? LatencyToxic else { return }
        self.toxic = toxic
        held.reschedule { $0.after(nanoseconds: toxic.delay(&generator)) }
        held.passDue(now, into: &effects)
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) { held.passAll(into: &effects) }
}
