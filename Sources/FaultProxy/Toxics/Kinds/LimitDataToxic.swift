import Threading

/// Toxiproxy's `limit_data`: after exactly `bytes` bytes in its stream the connection ends in order; what comes behind them
/// is swallowed.
///
/// The count belongs to the connection, starts when the toxic is added and goes on when its attributes change. A limit that
/// has passed already ends the connection with the next chunk.
package struct LimitDataToxic: Toxic {
    package static let type = ToxicType(
        "limit_data", "ends the connection after a number of bytes",
        [.count("bytes", .bytes, "bytes that pass before the connection ends")],
        isToxiproxys: true, make: { LimitDataToxic($0) })

    package let attributes: ToxicAttributes
    let limit: Int

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        limit = Int(attributes.integer("bytes"))
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? { LimitDataStage(limit: limit) }
}

struct LimitDataStage: ToxicStage {
    private var limit: Int
    private var passed = 0

    init(limit: Int) { self.limit = limit }

    var heldBytes: Int { 0 }
    var wakeAt: MonotonicInstant? { nil }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        let count = min(max(limit - passed, 0), chunk.bytes.count)
        passed += count
        if count == chunk.bytes.count {
            effects.append(.pass(chunk))
        } else {
            if count > 0 {
                effects.append(.pass(Chunk(bytes: Array(chunk.bytes[..<count]), arrival: chunk.arrival)))
            }
            effects.append(.swallow(chunk.bytes.count - count))
        }
        if passed >= limit { effects.append(.close(.finish)) }
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) { effects.append(.end) }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {}

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? LimitDataToxic else { return }
        limit = toxic.limit
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {}
}
