/// What a relay has done since it was made. A value.
package struct RelayStatistics: Sendable, Equatable {
    /// Connections that exist now, those that are being dialled included.
    package var open = 0
    /// Clients accepted, ever.
    package var accepted = 0
    /// Clients that were reset because the server could not be reached, or because a toxic did not let them in.
    package var refused = 0
    /// Connections that a toxic or a cut point reset.
    package var reset = 0
    /// Times that this process had no descriptor left.
    package var descriptorShortages = 0
    /// Bytes read from the client, and sent on to the server.
    package var upstreamReceived = 0
    package var upstreamSent = 0
    /// Bytes read from the server, and sent on to the client.
    package var downstreamReceived = 0
    package var downstreamSent = 0

    package init() {}
}
