import Glibc

/// A socket that is bound to an address, and the file of a Unix socket that goes with it. Closed by whoever has it; used by one
/// thread at a time.
struct BoundSocket: Sendable {
    let descriptor: Int32
    /// With the port that the kernel chose, where the wanted one was 0.
    let address: SocketAddress
    /// Which file is ours: another relay may have put its own in its place.
    private let file: (device: dev_t, inode: ino_t)?

    /// Binds. The file of a Unix socket that nobody listens on any more is replaced; what is no socket never is.
    ///
    /// - Throws: ``ProxyError/listenFailed(address:reason:)`` or ``ProxyError/noResource(_:)``.
    init(_ wanted: SocketAddress) throws(ProxyError) {
        guard let socket = Sockets.make(wanted.family) else {
            throw .noResource("socket: \(Sockets.message(errno)); is the limit of open files reached?")
        }
        if wanted.family != AF_UNIX { Sockets.setOption(socket, SOL_SOCKET, SO_REUSEADDR) }
        if wanted.family == AF_INET6 { Sockets.allowIPv4(socket) }
        var status = wanted.withSockaddr { bind(socket, $0, $1) }
        if status != 0, errno == EADDRINUSE, wanted.family == AF_UNIX, Self.isAbandoned(wanted) {
            unlink(wanted.path)
            status = wanted.withSockaddr { bind(socket, $0, $1) }
        }
        guard status == 0 else {
            let error = errno
            Glibc.close(socket)
            throw .listenFailed(address: wanted.text, reason: Sockets.message(error))
        }
        descriptor = socket
        if wanted.family == AF_UNIX {
            address = wanted
            file = Self.socketFile(wanted.path)
        } else {
            address = SocketAddress(of: socket, getsockname) ?? wanted
            file = nil
        }
    }

    /// Also removes the file, where it is still the one that was made.
    func close() {
        if let file, let now = Self.socketFile(address.path), now == file { unlink(address.path) }
        Glibc.close(descriptor)
    }

    private static func socketFile(_ path: String) -> (device: dev_t, inode: ino_t)? {
        var info = stat()
        // A plain file would refuse a connection too.
        guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return (info.st_dev, info.st_ino)
    }

    private static func isAbandoned(_ address: SocketAddress) -> Bool {
        guard socketFile(address.path) != nil, let probe = Sockets.make(AF_UNIX) else { return false }
        defer { Glibc.close(probe) }
        return address.withSockaddr { connect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
    }
}
