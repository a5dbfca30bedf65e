/// The network path between pool and server.
package protocol LinkControl: Sendable {
    /// Is there a relay between pool and server that can disturb traffic? (`tc netem` is tried by the fault itself.)
    var hasRelay: Bool { get }
    /// The server's TCP port on loopback, for packet-level mechanisms; `nil` where the server is elsewhere.
    var loopbackServerPort: UInt16? { get }
    /// Begins to disturb the relay's connections, the existing ones too; it does when this returns.
    ///
    /// - Returns: a number for the other calls.
    /// - Throws: when the words say nothing that there is.
    func begin(_ disturbance: Disturbance) async throws -> Int
    /// Ends it. Does nothing when it has ended.
    func end(_ disturbance: Int) async
    /// What it has done so far; kept after its end.
    func effect(of disturbance: Int) async -> DisturbanceEffect
    /// Ends the connections that lead to these backends, on both sides at the same moment.
    ///
    /// - Returns: the backends whose connection was found and ended.
    func end(backends: Set<Int32>, _ manner: ConnectionEnd) async -> Set<Int32>
    /// One round trip (`select 1`) on the same path as the pool's.
    func roundTrip(within limit: Duration) async throws -> Duration
    /// Gives back what ``roundTrip(within:)`` used: on the pool's path it would be counted as the pool's.
    func endRoundTrips() async
}

/// How the relay ends a connection.
package enum ConnectionEnd: Sendable {
    case reset
    /// In order: a FIN.
    case finish
}

/// What a relay is to do with the connections between pool and server, in the words of `chaosrig proxy`.
package enum Disturbance: Sendable, Equatable {
    /// As after `--toxic`: `latency@upstream:latency=50ms,jitter=5ms`.
    case toxic(String)
    /// As after `--cut`: `before CommandComplete tag=COMMIT do reset times=3`.
    case cut(String)
}

/// What a disturbance has done. A value.
package struct DisturbanceEffect: Sendable, Equatable {
    /// Connections that a toxic affected, did not let in, and ended.
    package var connections = 0
    package var refused = 0
    package var closed = 0
    /// Chunks that were held, and the median of how long really (at most 0.8 % too high).
    package var heldChunks = 0
    package var medianHold = Duration.zero
    package var swallowedBytes = 0
    /// Messages that matched a cut point, and how often it cut.
    package var matches = 0
    package var hits = 0

    package init() {}
}
