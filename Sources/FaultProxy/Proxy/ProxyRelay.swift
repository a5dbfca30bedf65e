package import Threading

/// One listening address with its way to a server. Thread-safe. What the control API, the command line and a run's faults work
/// on; the real one is `Relay`, and tests of pure logic have a fake.
package protocol ProxyRelay: Sendable {
    /// Listens and relays.
    ///
    /// - Returns: the bound address, for example `127.0.0.1:20001` or `/tmp/x/.s.PGSQL.5432`.
    func start() throws(ProxyError) -> String
    /// Closes the listener, then both sockets of every connection; it can be started again. Returns when all is closed.
    func stop()
    /// Replaces the toxics, in the order in which the bytes of a stream pass them. Those with an id that was there before
    /// keep their state in every connection. Returns when every open connection works with the new list, at most after
    /// some moments: nothing in it waits for a peer.
    func setToxics(_ toxics: [ActiveToxic])
    /// Replaces the cut points.
    func setCuts(_ cuts: [ActiveCut])
    var statistics: RelayStatistics { get }
    /// The open connections, in order of their numbers. O(connections).
    func connections() -> [RelayedConnection]
}

/// A toxic of a proxy. The record is shared with all connections.
package struct ActiveToxic: Sendable {
    /// Names it in its proxy for good; another toxic never gets it.
    package let id: Int
    package let name: String
    package let stream: ProxyStream
    /// The share of connections that it affects, 0…1. Decided by the seed once per connection and toxic, so a connection
    /// that is affected by a share stays affected by every greater one.
    package let toxicity: Double
    package let toxic: any Toxic
    package let record: ToxicRecord

    package init(
        id: Int, name: String, stream: ProxyStream, toxicity: Double, toxic: any Toxic, record: ToxicRecord
    ) {
        self.id = id
        self.name = name
        self.stream = stream
        self.toxicity = toxicity
        self.toxic = toxic
        self.record = record
    }
}

/// A connection through a proxy, as it is now.
package struct RelayedConnection: Sendable, Equatable {
    /// Counts up from 0 with each that the proxy accepts.
    package var number: Int
    /// The client's address; empty for a Unix socket.
    package var client: String
    package var openedAt: MonotonicInstant
    package var lastBytesAt: MonotonicInstant
    /// Bytes that were read, and that went on.
    package var bytesUpstream: (received: Int, sent: Int)
    package var bytesDownstream: (received: Int, sent: Int)
    /// Names of the toxics that affect it.
    package var toxics: [String]
    package var facts: WireFacts

    package static func == (a: Self, b: Self) -> Bool {
        a.number == b.number && a.client == b.client && a.openedAt == b.openedAt && a.lastBytesAt == b.lastBytesAt
            && a.bytesUpstream == b.bytesUpstream && a.bytesDownstream == b.bytesDownstream && a.toxics == b.toxics
            && a.facts == b.facts
    }
}

/// Why something cannot be done with a proxy.
package enum ProxyError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The address cannot be listened on.
    case listenFailed(address: String, reason: String)
    /// The address is not one, or its name has no address.
    case badAddress(String, reason: String)
    /// The kernel gave nothing for what the proxy needs.
    case noResource(String)

    package var description: String {
        switch self {
        case .listenFailed(let address, let reason): "cannot listen on \(address): \(reason)"
        case .badAddress(let address, let reason): "\(address) is no address to use: \(reason)"
        case .noResource(let what): what
        }
    }
}
