import Glibc

/// A listening socket of TCP for a service of the rig itself, such as the control API or the metrics. A value; whoever has it
/// closes the descriptor.
package struct ServiceSocket: Sendable {
    package let descriptor: Int32
    /// The bound address, for example `127.0.0.1:8474`.
    package let address: String
    /// Whether others than this machine's programs can reach it.
    package let isPublic: Bool

    /// Binds and listens; does not block.
    ///
    /// - Parameters:
    ///   - service: for messages, for example `the API`.
    ///   - text: `HOST:PORT`; port 0 for a free one.
    /// - Throws: ``ProxyError`` with the reason, such as a port in use.
    package init(_ service: String, at text: String) throws(ProxyError) {
        let resolved = try Self.check(text, for: service).resolve(isForListening: true)
        descriptor = try Sockets.listen(resolved).descriptor
        address = SocketAddress(of: descriptor, getsockname)?.text ?? text
        isPublic = !resolved.isLoopback
    }

    /// One that is open already, and listens; `nil` when the descriptor is none.
    package init?(adopting descriptor: Int32) {
        var isListening: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &isListening, &length) == 0, isListening != 0,
            let bound = SocketAddress(of: descriptor, getsockname)
        else { return nil }
        self.descriptor = descriptor
        address = bound.text
        isPublic = !bound.isLoopback
    }

    /// Whether programs that this process executes have it too.
    package func isInherited(_ isInherited: Bool) { _ = fcntl(descriptor, F_SETFD, isInherited ? 0 : FD_CLOEXEC) }

    /// Whether a service can be had there at all; opens nothing.
    @discardableResult
    package static func check(_ text: String, for service: String) throws(ProxyError) -> ProxyAddress {
        // The address of a proxy may be the path of a Unix socket; this one may not.
        guard text.contains(":") || text.hasPrefix("/") else {
            throw .badAddress(text, reason: "missing port in address; \(service) needs HOST:PORT")
        }
        let address = try ProxyAddress(text)
        guard case .tcp(let host, let port) = address else {
            throw .badAddress(text, reason: "\(service) needs HOST:PORT")
        }
        guard !host.isEmpty else {
            throw .badAddress(
                text, reason: "name the host: 127.0.0.1:\(port), or 0.0.0.0:\(port) for clients on other machines too")
        }
        return address
    }
}

extension SocketAddress {
    /// Only programs of this machine can reach it.
    fileprivate var isLoopback: Bool {
        family == AF_UNIX || text.hasPrefix("127.") || text.hasPrefix("[::1]:")
    }
}
