import CLinux
import Glibc
import RigModel
import Threading

/// A client's connection and the one to the server that belongs to it. Used by the relay's thread only.
final class RelayPair {
    let id: UInt64
    var client: Endpoint
    var server: Endpoint
    var toServer: Flow
    var toClient: Flow
    /// Set while the server has not accepted yet. Until then nothing is read from the client.
    var dial: Dial?
    /// It is in the loop's list of pairs to look at.
    var isQueued = false

    struct Dial {
        let deadline: MonotonicInstant
        /// The server's queue of connections was full (Unix sockets only): try again then.
        var retry: MonotonicInstant?
    }

    init(id: UInt64, client: Int32, server: Int32, seed: UInt64, dialDeadline: MonotonicInstant) {
        self.id = id
        self.client = Endpoint(client)
        self.server = Endpoint(server)
        toServer = Flow(generator: SeededGenerator(seed: seed, stream: "relay/\(id)/to-server"))
        toClient = Flow(generator: SeededGenerator(seed: seed, stream: "relay/\(id)/to-client"))
        dial = Dial(deadline: dialDeadline)
    }

    var isFinished: Bool { toServer.isFinished && toClient.isFinished }

    func follow(_ toxics: ToxicSwitch) {
        toServer.follow(toxics)
        toClient.follow(toxics)
    }

    /// Takes in what epoll said about one end.
    func note(_ events: UInt32, ofServer isServer: Bool) {
        func note(_ end: inout Endpoint) {
            // After an error or a hang-up reads and writes do not block either: they tell the rest.
            let isOver = events & (clinux_EPOLLERR | clinux_EPOLLHUP) != 0
            if isOver || events & (clinux_EPOLLIN | clinux_EPOLLRDHUP) != 0 { end.isReadable = true }
            if isOver || events & clinux_EPOLLOUT != 0 { end.isWritable = true }
            guard events & clinux_EPOLLERR != 0 else { return }
            let error = Sockets.takeError(end.descriptor)
            if error != 0, end.error == nil { end.error = error }
        }
        if isServer { note(&server) } else { note(&client) }
    }

    /// Closes both ends. The end whose other side broke is reset, so its peer sees what the relay saw.
    func close() {
        if server.isBroken { clinux_reset_on_close(client.descriptor) }
        if client.isBroken { clinux_reset_on_close(server.descriptor) }
        Glibc.close(client.descriptor)
        Glibc.close(server.descriptor)
    }
}
