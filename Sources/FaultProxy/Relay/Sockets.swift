import CLinux
import Glibc

/// The socket calls of the relay, in a form that is the same for every family. All sockets are non-blocking.
enum Sockets {
    /// - Returns: `nil` when there is no descriptor to be had; `errno` says why.
    static func make(_ family: Int32) -> Int32? {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = socket(family, type, 0)
        return socket >= 0 ? socket : nil
    }

    /// Binds and listens.
    ///
    /// - Throws: as ``BoundSocket/init(_:)``.
    static func listen(_ address: SocketAddress) throws(ProxyError) -> BoundSocket {
        let socket = try BoundSocket(address)
        guard Glibc.listen(socket.descriptor, SOMAXCONN) == 0 else {
            let error = errno
            socket.close()
            throw .listenFailed(address: address.text, reason: message(error))
        }
        return socket
    }

    /// Small packets must not wait for each other. Without effect, and harmless, on a Unix socket.
    static func sendAtOnce(_ socket: Int32) { setOption(socket, Int32(IPPROTO_TCP), TCP_NODELAY) }

    /// Sets how much the kernel takes in unread, and ends its own choice of it.
    static func limitReceived(_ socket: Int32, _ bytes: Int) {
        setOption(socket, SOL_SOCKET, SO_RCVBUF, to: Int32(clamping: bytes))
    }

    /// Asks a silent peer after so long whether it is still there, three times at the same distance.
    static func keepAlive(_ socket: Int32, _ time: Duration) {
        let seconds = Int32(clamping: max(1, time.components.seconds))
        setOption(socket, SOL_SOCKET, SO_KEEPALIVE)
        setOption(socket, Int32(IPPROTO_TCP), TCP_KEEPIDLE, to: seconds)
        setOption(socket, Int32(IPPROTO_TCP), TCP_KEEPINTVL, to: seconds)
        setOption(socket, Int32(IPPROTO_TCP), TCP_KEEPCNT, to: 3)
    }

    /// Reads and clears the socket's pending error; 0 when there is none.
    static func takeError(_ socket: Int32) -> Int32 {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno
    }

    /// A dial to a dead port in the ephemeral range can get that very port as its own, and is then connected to itself
    /// (TCP's simultaneous open).
    static func isConnectedToItself(_ socket: Int32, dialled: SocketAddress) -> Bool {
        guard dialled.family != AF_UNIX, let own = SocketAddress(of: socket, getsockname) else { return false }
        return own.port == dialled.port && own == SocketAddress(of: socket, getpeername)
    }

    static func message(_ error: Int32) -> String { String(cString: strerror(error)) }

    static func setOption(_ socket: Int32, _ level: Int32, _ name: Int32, to value: Int32 = 1) {
        var value = value
        setsockopt(socket, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// A socket of IPv6 also serves clients of IPv4, whatever the machine's default is.
    static func allowIPv4(_ socket: Int32) { setOption(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }

    /// Whether one socket can listen on every address of both families; a machine may have no IPv6. Tried once.
    static let hasDualStack: Bool = {
        guard let any = SocketAddress(ipv6: "::", port: 0), let socket = make(AF_INET6) else { return false }
        defer { close(socket) }
        allowIPv4(socket)
        return any.withSockaddr { bind(socket, $0, $1) } == 0
    }()
}
