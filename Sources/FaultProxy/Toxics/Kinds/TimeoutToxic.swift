import Threading

/// Toxiproxy's `timeout`: swallows all bytes, and ends the connection in order when none has come for `timeout`
/// milliseconds; at 0 never.
///
/// It is an idle timer and not a limit of time: each chunk starts it again, and so does a change of the attributes. For a
/// limit see `cut_after`. Removing it ends those connections whose bytes it has swallowed; Toxiproxy ends all.
package struct TimeoutToxic: Toxic {
    package static let type = ToxicType(
        "timeout", "swallows all bytes, and ends the connection when none has come for a time",
        [.count("timeout", .milliseconds, "time without a byte in milliseconds; 0 never ends the connection")],
        isToxiproxys: true, make: { TimeoutToxic($0) })

    package let attributes: ToxicAttributes
    /// Nanoseconds.
    let timeout: Int64

    package init(_ attributes: ToxicAttributes) {
        self.attributes = attributes
        timeout = ToxicTime.nanoseconds(milliseconds: attributes.integer("timeout"))
    }

    package func makeStage(_ context: StageContext) -> (any ToxicStage)? {
        TimeoutStage(timeout: timeout, now: context.now)
    }
}

struct TimeoutStage: ToxicStage {
    private var timeout: Int64
    private var hasSwallowed = false
    private var isOver = false
    private(set) var wakeAt: MonotonicInstant?

    init(timeout: Int64, now: MonotonicInstant) {
        self.timeout = timeout
        restart(now)
    }

    var heldBytes: Int { 0 }

    private mutating func restart(_ now: MonotonicInstant) {
        wakeAt = timeout > 0 && !isOver ? now.after(nanoseconds: timeout) : nil
    }

    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect]) {
        hasSwallowed = true
        effects.append(.swallow(chunk.bytes.count))
        restart(now)
    }

    /// The end is not kept back, as in Toxiproxy; behind a gap it takes the whole connection along.
    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect]) {
        effects.append(hasSwallowed ? .close(.finish) : .end)
        isOver = true
        wakeAt = nil
    }

    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let due = wakeAt, due <= now else { return }
        effects.append(.close(.finish))
        isOver = true
        wakeAt = nil
    }

    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect]) {
        guard let toxic = toxic as? TimeoutToxic else { return }
        timeout = toxic.timeout
        restart(now)
    }

    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect]) {
        if hasSwallowed, !isOver { effects.append(.close(.finish)) }
    }
}
