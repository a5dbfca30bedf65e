package import Threading

/// Bytes that travel together: what one read gave, or a part of it.
package struct Chunk: Sendable, Equatable {
    package var bytes: [UInt8]
    /// When it came to the stage that it is in; when it was read, in the first one.
    package var arrival: MonotonicInstant

    package init(bytes: [UInt8], arrival: MonotonicInstant) {
        self.bytes = bytes
        self.arrival = arrival
    }
}

/// What a stage does with the stream.
package enum StageEffect: Sendable, Equatable {
    /// The chunk goes on. Its `arrival` is still the time at which it came, so that its hold can be told.
    case pass(Chunk)
    /// This many bytes are gone.
    case swallow(Int)
    /// The end of the stream (FIN) goes on, behind everything that was passed.
    case end
    /// The whole connection ends.
    case close(CloseManner)
}

/// A toxic at work in one stream of one connection. Pure: no clock, no socket, random numbers from its own generator.
///
/// It keeps the order of the bytes. It is woken at ``wakeAt``, and may be woken early or for nothing; after it was called,
/// ``wakeAt`` lies behind `now`, so that nobody who follows it can spin. Stages form a chain: what one passes the next one
/// receives.
package protocol ToxicStage: Sendable {
    /// Bytes that it holds. A proxy stops reading when all stages of a stream hold too much.
    var heldBytes: Int { get }
    /// When ``wake(now:into:)`` must be called; `nil` for never.
    var wakeAt: MonotonicInstant? { get }
    mutating func receive(_ chunk: Chunk, now: MonotonicInstant, into effects: inout [StageEffect])
    /// The stream has ended in front of this stage. Comes once.
    mutating func endOfStream(now: MonotonicInstant, into effects: inout [StageEffect])
    mutating func wake(now: MonotonicInstant, into effects: inout [StageEffect])
    /// The attributes of the toxic have changed; `toxic` has the type that made this stage.
    mutating func adopt(_ toxic: any Toxic, now: MonotonicInstant, into effects: inout [StageEffect])
    /// The toxic is removed: passes at once everything that it holds, with a held end of the stream behind it. Where bytes
    /// were swallowed, so that what follows could not be understood, it closes the connection instead.
    mutating func remove(now: MonotonicInstant, into effects: inout [StageEffect])
}
