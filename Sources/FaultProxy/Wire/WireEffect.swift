/// What a cut point does with the bytes of a connection. In order; applies to the stream that was inspected where nothing
/// else is said.
package enum WireEffect: Sendable, Equatable {
    /// These bytes go on.
    case pass([UInt8])
    /// These bytes go to the client, as if the server had sent them, behind what is on its way to it already.
    case answer([UInt8])
    /// What follows in this stream waits for so long; nothing overtakes.
    case delay(Duration)
    /// From now on everything is swallowed in these streams; the sockets stay open.
    case blackhole([ProxyStream])
    /// The connection ends.
    case close(CloseManner)
    /// A cut point was reached: for the record, and for the feed.
    case hit(cut: String)
}
