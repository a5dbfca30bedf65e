package import Threading

/// Reads the bytes of one PostgreSQL connection in both directions as they pass, and stops at cut points. Pure; one per
/// connection.
package struct WireInspector: Sendable {
    var reader = WireReader()
    var upstreamPlace = StreamPlace()
    var downstreamPlace = StreamPlace()
    private var cuts: [ActiveCut] = []

    package init() {}

    /// O(1), but with copies of texts: not for every message.
    package var facts: WireFacts { reader.facts }

    /// Without cut points ``observe(_:_:)`` is enough.
    package var hasCuts: Bool { !cuts.isEmpty }

    /// Replaces the cut points. What was kept back for the old ones comes with the next bytes of its stream.
    package mutating func setCuts(_ cuts: [ActiveCut]) { self.cuts = cuts }

    /// Looks at bytes that pass unchanged.
    package mutating func observe(_ bytes: UnsafeRawBufferPointer, _ stream: ProxyStream) {
        if stream == .upstream {
            reader.walk(bytes, &upstreamPlace, .upstream)
        } else {
            reader.walk(bytes, &downstreamPlace, .downstream)
        }
    }

    /// Looks at bytes and decides what goes on. What a rule has to see as a whole may be kept back until the rest comes.
    package mutating func intercept(
        _ bytes: UnsafeRawBufferPointer, _ stream: ProxyStream, now: MonotonicInstant, into effects: inout [WireEffect]
    ) {
        observe(bytes, stream)
        effects.append(.pass(Array(bytes)))
    }

    /// The stream has ended: gives what was kept back.
    package mutating func endOfStream(_ stream: ProxyStream, into effects: inout [WireEffect]) {}
}
