/// A direction through a proxy, in Toxiproxy's words.
package enum ProxyStream: String, Sendable, CaseIterable {
    /// From the client to the server.
    case upstream
    /// From the server to the client.
    case downstream

    package var opposite: ProxyStream { self == .upstream ? .downstream : .upstream }
}

/// How a proxy ends a connection.
package enum CloseManner: String, Sendable, CaseIterable {
    /// RST on both sides, now; what is held or still in the kernel's buffers is lost.
    case reset
    /// FIN on both sides behind what has gone on already, then closed; what is held is lost.
    case finish
}
