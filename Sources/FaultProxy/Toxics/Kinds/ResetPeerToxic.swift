import Threading

/// Toxiproxy's `reset_peer`: `timeout` milliseconds after the first chunk (or the end) has come in its stream, both sides
/// get a RST, whenever the connection was opened.
///
/// What comes meanwhile is held and is lost with the reset. Removing the toxic in time lets all of it go on.
package struct ResetPeerToxic: Toxic {
    package static let type = ToxicType(
        "reset_peer", "resets the connection some time after its next byte",
        [.count("timeout", .milliseconds, "time between that byte and the RST, in milliseconds")],
        isToxiproxys: true, make: { ResetPeerToxic($0) })

    package let attributes: ToxicAttributes
    /// Nanoseconds.
    let timeout: Int64

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        timeout = ToxicTime.nanoseconds(milliseconds: attributes.integer("timeout"))
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? { ResetPeerStage(timeout: timeout) }
}

struct ResetPeerStage: ToxicStage {
    private var timeout: Int64
    private var held = HeldStream()
    /// When the first chunk or the end came, until the reset.
    private var start: MonotonicInstant?

    init(timeout: Int64) { self.timeout = timeout }

    var heldBytes: Int { held.byteCount }
    var wakeAt: MonotonicInstant? { start?.after(nanoseconds: timeout) }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.append(chunk, due: chunk.arrival)
        if start == nil { start = now }
        wake(now: now, into: &effects)
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        held.hasEnd = true
        if start == nil { start = now }
        wake(now: now, into: &effects)
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let due = wakeAt, due <= now else { return }
        start = nil
        held.swallow(into: &effects)
        effects.append(.close(.reset))
    }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? ResetPeerToxic else { return }
        timeout = toxic.timeout
        wake(now: now, into: &effects)
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) { held.passAll(into: &effects) }
}
