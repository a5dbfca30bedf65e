import Threading

/// Keeps the sockets open and swallows everything in its stream, the end included: a partition as both sides see it.
///
/// Removing it resets those connections from which it has swallowed something, since what follows could not be understood.
package struct BlackholeToxic: Toxic {
    package static let type = ToxicType(
        "blackhole", "keeps the connection open and swallows all bytes of a stream, its end too",
        make: { BlackholeToxic($0) })

    package let attributes: ToxicAttributes

    package init(_ attributes: ToxicAttributes) { self.attributes = attributes }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? { BlackholeStage() }
}

struct BlackholeStage: ToxicStage {
    private var hasSwallowed = false

    var heldBytes: Int { 0 }
    var wakeAt: MonotonicInstant? { nil }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        hasSwallowed = true
        effects.append(.swallow(chunk.bytes.count))
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) { hasSwallowed = true }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {}

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {}

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {
        if hasSwallowed { effects.append(.close(.reset)) }
    }
}
