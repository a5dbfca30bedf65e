package import RigModel
package import Threading

/// What a relay does to the bytes in one direction of one connection. Pure: no clock, no socket.
///
/// Each direction of each connection works on a copy of its own, so a toxic may keep state about "its" stream (a rate,
/// for example). Which connections and directions it applies to is decided outside.
package protocol HoldingToxic: Sendable {
    /// When a chunk may go on. The relay keeps the order of the bytes whatever comes back: a chunk never overtakes the
    /// one before it, it waits.
    ///
    /// - Parameters:
    ///   - byteCount: the length of the chunk: what one read from the socket gave.
    ///   - arrival: when it was read.
    ///   - generator: this direction's stream of random numbers.
    /// - Returns: a time at or before `arrival` for "at once"; `.distantFuture` for "not while this toxic is set".
    mutating func releaseTime(
        ofChunkWith byteCount: Int, arrivingAt arrival: MonotonicInstant, using generator: inout SeededGenerator
    ) -> MonotonicInstant
}
