import Threading

/// One direction of a connection: what was read and has not gone on. Used by one thread.
///
/// The way of the bytes: read, wire inspection with its cut points, the pause of a cut point, the toxics, the queue for the
/// receiver.
final class Flow {
    let stream: ProxyStream
    let source: Endpoint
    let sink: Endpoint
    var chain = ToxicChain()
    /// What waits for the pause of a cut point to end.
    var paused = HeldChunks()
    var pausedUntil = MonotonicInstant(nanoseconds: 0)
    /// The cut point whose pause is the longest.
    var pausedBy: String?
    /// What waits for the receiver only.
    var outbound = ByteQueue()
    /// A cut point swallows everything from now on.
    var isBlackholed = false
    /// The end of the source waits for the pause too.
    var isEndPaused = false
    /// The source has said all it had to say, by FIN or by RST.
    var hasSourceEnded = false
    /// Behind ``outbound`` comes the end.
    var isEndQueued = false
    /// Nothing will move any more.
    var isFinished = false
    var received = 0
    var sent = 0
    /// The time for which a look at this flow is already planned.
    var plannedWake: MonotonicInstant?

    init(_ stream: ProxyStream, from source: Endpoint, to sink: Endpoint) {
        self.stream = stream
        self.source = source
        self.sink = sink
    }

    /// Nothing stands between a read and the receiver.
    var isDirect: Bool { chain.isEmpty && paused.isEmpty && pausedUntil.nanoseconds == 0 }

    /// Bytes that wait for a toxic or for the end of a pause.
    var heldBytes: Int { chain.heldBytes + paused.byteCount }

    /// When it must be looked at; `nil` for not by time.
    var wakeAt: MonotonicInstant? {
        guard let pauseEnd = paused.first?.due ?? (isEndPaused ? pausedUntil : nil) else { return chain.wakeAt }
        return min(pauseEnd, chain.wakeAt ?? pauseEnd)
    }

    /// Nothing waits here for a time, a toxic or the receiver.
    var isQuiet: Bool { outbound.isEmpty && heldBytes == 0 && wakeAt == nil }

    /// The time has come, or had: a later look must be planned anew.
    func forgetWake(upTo now: MonotonicInstant) {
        if let planned = plannedWake, planned <= now { plannedWake = nil }
    }

    /// Ends the pause; what waited for it goes on with the next look.
    func resume() {
        pausedBy = nil
        pausedUntil = MonotonicInstant(nanoseconds: 0)
        paused.releaseAll()
    }

    /// Drops what has not gone on; the end is next.
    func dropHeld() {
        paused.removeAll()
        chain.drop()
        isEndQueued = true
    }
}
