import Threading

/// A RST to both sides at once, for the connections that are open and for every new one. For a reset later on, or with the
/// next byte, see `cut_after` and `reset_peer`.
package struct ResetToxic: Toxic {
    package static let type = ToxicType(
        "reset", "resets connections at once, those that are open too", spansBothStreams: true,
        make: { ResetToxic($0) })

    package let attributes: ToxicAttributes

    package init(_ attributes: ToxicAttributes) { self.attributes = attributes }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? { ResetStage(wakeAt: context.now) }
}

struct ResetStage: ToxicStage {
    private(set) var wakeAt: MonotonicInstant?

    init(wakeAt: MonotonicInstant) { self.wakeAt = wakeAt }

    var heldBytes: Int { 0 }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        effects.append(.swallow(chunk.bytes.count))
        wake(now: now, into: &effects)
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        wake(now: now, into: &effects)
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {
        if wakeAt.take() != nil { effects.append(.close(.reset)) }
    }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {}

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {}
}
