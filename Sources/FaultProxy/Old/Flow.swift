import RigModel
import Threading

/// One end of a pair, as the edge-triggered events tell.
struct Endpoint {
    let descriptor: Int32
    /// A read may give something: until one says EAGAIN.
    var isReadable = true
    /// A write may take something: until one says EAGAIN.
    var isWritable = true
    /// The connection was reset or died otherwise; `error` is the errno.
    var error: Int32?

    var isBroken: Bool { error != nil }

    init(_ descriptor: Int32) { self.descriptor = descriptor }
}

/// One direction of a pair.
struct Flow {
    var held = HeldChunks()
    /// The source has said all it had to say, by FIN or by RST.
    var hasSourceEnded = false
    /// Nothing will move any more.
    var isFinished = false
    /// The time for which a look at this flow is already planned.
    var plannedWake: MonotonicInstant?

    private var toxic: (any HoldingToxic)?
    private var epoch = 0
    private var version = 0
    private var generator: SeededGenerator

    init(generator: SeededGenerator) { self.generator = generator }

    /// Takes over a changed toxic. When it was removed, everything that is held becomes due; when it was replaced,
    /// chunks keep their time, except that nothing waits for ever for a toxic that is gone.
    mutating func follow(_ toxics: ToxicSwitch) {
        guard version != toxics.version else { return }
        (toxic, epoch, version) = toxics.current
        if toxic == nil { held.releaseAll() } else { held.releaseUnbounded() }
    }

    /// The toxic's word on a chunk that has just been read; `nil` when it may go on at once.
    mutating func hold(byteCount: Int) -> (arrival: MonotonicInstant, due: MonotonicInstant, epoch: Int)? {
        guard toxic != nil else { return nil }
        let arrival = MonotonicInstant.now
        guard
            let due = toxic?.releaseTime(ofChunkWith: byteCount, arrivingAt: arrival, using: &generator), due > arrival
        else { return nil }
        return (arrival, due, epoch)
    }
}
