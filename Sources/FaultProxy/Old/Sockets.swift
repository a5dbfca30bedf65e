import CLinux
import Glibc

/// The socket calls of the relay, in a form that is the same for every family. All sockets are non-blocking.
enum Sockets {
    static func make(_ family: Int32) throws(RelayError) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = socket(family, type, 0)
        guard socket >= 0 else { throw .systemCallFailed("socket", error: errno) }
        return socket
    }

    /// Listens on 127.0.0.1.
    ///
    /// - Returns: the socket and its port, which the kernel chose when `port` is 0.
    static func listen(port: UInt16) throws(RelayError) -> (socket: Int32, port: UInt16) {
        guard let address = SocketAddress(ipv4: "127.0.0.1", port: port) else {
            preconditionFailure("internal inconsistency: 127.0.0.1 is no address")
        }
        let listener = try make(AF_INET)
        setOption(listener, SOL_SOCKET, SO_REUSEADDR)
        guard address.withSockaddr({ bind(listener, $0, $1) }) == 0, Glibc.listen(listener, SOMAXCONN) == 0 else {
            let error = errno
            close(listener)
            throw .listenFailed(port: port, error: error)
        }
        var bound = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutableBytes(of: &bound) { raw in
            raw.baseAddress.map { getsockname(listener, $0.assumingMemoryBound(to: sockaddr.self), &length) }
        }
        return (listener, UInt16(bigEndian: bound.sin_port))
    }

    /// Small packets must not wait for each other. Without effect, and harmless, on a Unix socket.
    static func sendAtOnce(_ socket: Int32) { setOption(socket, Int32(IPPROTO_TCP), TCP_NODELAY) }

    /// Reads and clears the socket's pending error; 0 when there is none.
    static func takeError(_ socket: Int32) -> Int32 {
        var error: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno
    }

    /// A dial to a dead port in the ephemeral range can get that very port as its own, and is then connected to itself
    /// (TCP's simultaneous open).
    static func isConnectedToItself(_ socket: Int32) -> Bool {
        func name(_ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> [UInt8]?
        {
            var bytes = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_storage>.size)
            var length = socklen_t(bytes.count)
            let status = bytes.withUnsafeMutableBytes { raw in
                raw.baseAddress.map { ask(socket, $0.assumingMemoryBound(to: sockaddr.self), &length) }
            }
            return status == 0 ? Array(bytes.prefix(Int(length))) : nil
        }
        // Both ends of a Unix connection may be nameless, which is equal too: only addresses with content count.
        guard let own = name({ getsockname($0, $1, $2) }), own.count > MemoryLayout<sa_family_t>.size else {
            return false
        }
        return own == name { getpeername($0, $1, $2) }
    }

    private static func setOption(_ socket: Int32, _ level: Int32, _ name: Int32) {
        var on: Int32 = 1
        setsockopt(socket, level, name, &on, socklen_t(MemoryLayout<Int32>.size))
    }
}
