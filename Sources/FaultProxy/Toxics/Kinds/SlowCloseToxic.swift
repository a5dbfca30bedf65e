import Threading

/// Toxiproxy's `slow_close`: bytes pass; the end of the stream waits for `delay` milliseconds.
package struct SlowCloseToxic: Toxic {
    package static let type = ToxicType(
        "slow_close", "delays the end of a stream",
        [.count("delay", .milliseconds, "delay in milliseconds")],
        isToxiproxys: true, make: { SlowCloseToxic($0) })

    package let attributes: ToxicAttributes
    /// Nanoseconds.
    let delay: Int64

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        delay = ToxicTime.nanoseconds(milliseconds: attributes.integer("delay"))
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? { SlowCloseStage(delay: delay) }
}

struct SlowCloseStage: ToxicStage {
    private var delay: Int64
    /// When the end came, while it is held.
    private var end: MonotonicInstant?

    init(delay: Int64) { self.delay = delay }

    var heldBytes: Int { 0 }
    var wakeAt: MonotonicInstant? { end?.after(nanoseconds: delay) }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        effects.append(.pass(chunk))
    }

    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        end = now
        wake(now: now, into: &effects)
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let due = wakeAt, due <= now else { return }
        remove(now: now, into: &effects)
    }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? SlowCloseToxic else { return }
        delay = toxic.delay
        wake(now: now, into: &effects)
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {
        if end.take() != nil { effects.append(.end) }
    }
}
