package import Threading

/// What a chain must know of its connection, to follow a list of toxics.
package struct ChainContext: Sendable {
    package var seed: UInt64
    package var proxy: String
    /// The connection's number.
    package var connection: Int
    package var stream: ProxyStream
    /// Bytes have come in this stream, whether the chain was asked to take them or was empty.
    package var hasReceived: Bool
    /// When bytes last came on this connection in any direction; when it was accepted where none did.
    package var lastBytesAt: MonotonicInstant
    package var now: MonotonicInstant

    package init(
        seed: UInt64, proxy: String, connection: Int, stream: ProxyStream, hasReceived: Bool,
        lastBytesAt: MonotonicInstant, now: MonotonicInstant
    ) {
        self.seed = seed
        self.proxy = proxy
        self.connection = connection
        self.stream = stream
        self.hasReceived = hasReceived
        self.lastBytesAt = lastBytesAt
        self.now = now
    }

    /// The connection is one of those that the toxic affects.
    package func isAffected(by toxic: ActiveToxic) -> Bool {
        Toxicity.affects(
            share: toxic.toxicity, seed: seed, proxy: proxy, toxic: toxic.name, connection: connection)
    }
}
