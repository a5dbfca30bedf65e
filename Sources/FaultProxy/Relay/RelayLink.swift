import CLinux
import Glibc
import Threading

/// A client's connection and the one to the server that belongs to it. Used by one thread.
final class RelayLink {
    struct Dial {
        let deadline: MonotonicInstant
        /// The server's queue of connections was full (Unix sockets only): try again then.
        var retry: MonotonicInstant?
    }

    let relay: RelayShared
    /// Where it leads to.
    let serverAddress: SocketAddress
    /// Counts up from 0 with each connection of the relay.
    let number: Int
    let openedAt: MonotonicInstant
    let client: Endpoint
    let server: Endpoint
    let upstream: Flow
    let downstream: Flow
    var inspector = WireInspector()
    var lastBytesAt: MonotonicInstant
    /// Set while the server has not accepted yet. Until then nothing is read from the client.
    var dial: Dial?
    /// The connection is being closed in order: what has not gone on by then never will.
    var closingBy: MonotonicInstant?
    /// Its place in the thread's table, and how often that was given out before.
    var slot = 0
    var generation: UInt32 = 0
    /// The cut point that was hit last, and the one that swallows what comes.
    var lastCut: String?
    var blackholedBy: String?
    /// It is in the thread's list of links to look at.
    var isQueued = false
    /// It is in the thread's table.
    var isOpen = true
    /// Why it ends, as far as that is known.
    var reason: RelayEvent.Reason?

    init(
        relay: RelayShared, to serverAddress: SocketAddress, number: Int, client: Int32, server: Int32,
        now: MonotonicInstant, dial: Dial?
    ) {
        self.relay = relay
        self.serverAddress = serverAddress
        self.number = number
        openedAt = now
        lastBytesAt = now
        self.client = Endpoint(client)
        self.server = Endpoint(server)
        upstream = Flow(.upstream, from: self.client, to: self.server)
        downstream = Flow(.downstream, from: self.server, to: self.client)
        self.dial = dial
    }

    func flow(_ stream: ProxyStream) -> Flow { stream == .upstream ? upstream : downstream }

    var isFinished: Bool { upstream.isFinished && downstream.isFinished }

    /// Closes both sockets.
    ///
    /// - Parameter isReset: both peers see a RST. Else the end whose other side broke is reset, so that its peer sees what
    ///   the relay saw.
    func closeSockets(isReset: Bool) {
        if isReset || server.isBroken { clinux_reset_on_close(client.descriptor) }
        if isReset || client.isBroken { clinux_reset_on_close(server.descriptor) }
        Glibc.close(client.descriptor)
        Glibc.close(server.descriptor)
    }

    func report() -> RelayedConnection {
        RelayedConnection(
            number: number, client: SocketAddress(of: client.descriptor, getpeername)?.text ?? "", openedAt: openedAt,
            lastBytesAt: lastBytesAt, bytesUpstream: (upstream.received, upstream.sent),
            bytesDownstream: (downstream.received, downstream.sent),
            toxics: relay.toxics.filter { $0.affects(number, of: relay) }.map(\.name), facts: inspector.facts)
    }
}
