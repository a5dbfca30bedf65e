import RigModel
import Threading

/// Changes bytes on their way: in a share `rate` of the chunks, `bytes` of their bytes become other ones. Length and order
/// stay.
///
/// The first `after_bytes` bytes of each stream are left alone, for example so that a connection can be made.
package struct CorruptToxic: Toxic {
    package static let type = ToxicType(
        "corrupt", "changes some bytes of some chunks",
        [
            ToxicAttribute("rate", .real(0...1), .share, standard: 1.0, "share of the chunks that are changed, 0 to 1"),
            ToxicAttribute(
                "bytes", .integer(1...Int64.max), .bytes, standard: 1, "bytes that are changed in such a chunk"),
            .count("after_bytes", .bytes, "bytes that pass unchanged before, counted from when the toxic was added"),
        ], make: { CorruptToxic($0) })

    package let attributes: ToxicAttributes
    let rate: Double
    let bytes: Int
    let untouched: Int

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        rate = attributes.real("rate")
        bytes = Int(attributes.integer("bytes"))
        untouched = Int(attributes.integer("after_bytes"))
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? {
        CorruptStage(toxic: self, generator: context.generator)
    }
}

struct CorruptStage: ToxicStage {
    private var toxic: CorruptToxic
    private var generator: SeededGenerator
    private var passed = 0

    init(toxic: CorruptToxic, generator: SeededGenerator) {
        self.toxic = toxic
        self.generator = generator
    }

    var heldBytes: Int { 0 }
    var wakeAt: MonotonicInstant? { nil }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        var chunk = chunk
        let start = min(max(toxic.untouched - passed, 0), chunk.bytes.count)
        passed += chunk.bytes.count
        if start < chunk.bytes.count, generator.nextUnit() < toxic.rate { change(&chunk.bytes, from: start) }
        effects.append(.pass(chunk))
    }

    /// Changes as many different bytes as it should, each place as likely as the others (Floyd's sampling).
    private mutating func change(_ bytes: inout [UInt8], from start: Int) {
        let places = bytes.count - start
        let wanted = min(toxic.bytes, places)
        var taken = Set<Int>(minimumCapacity: wanted)
        for last in places - wanted..<places {
            let place = Int.random(in: 0...last, using: &generator)
            let chosen = taken.insert(place).inserted ? place : last
            taken.insert(chosen)
            // Never 0, which would change nothing.
            bytes[start + chosen] ^= UInt8.random(in: 1...255, using: &generator)
        }
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) { effects.append(.end) }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {}

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? CorruptToxic else { return }
        self.toxic = toxic
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {}
}
