import Glibc

/// Where a relay leads to. Names are not resolved: a relay must not depend on a resolver, which blocks.
package enum RelayUpstream: Sendable, Equatable, CustomStringConvertible {
    /// A numeric IPv4 or IPv6 address, such as `127.0.0.1` or `::1`.
    case tcp(address: String, port: UInt16)
    /// The path of a Unix socket, for example `/run/postgresql/.s.PGSQL.5432`.
    case unix(path: String)

    package var description: String {
        switch self {
        case .tcp(let address, let port): address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path): path
        }
    }

    /// In the form that the kernel wants.
    ///
    /// - Throws: ``RelayError/invalidUpstream(_:reason:)``.
    func socketAddress() throws(RelayError) -> SocketAddress {
        switch self {
        case .tcp(let address, let port):
            if let result = SocketAddress(ipv4: address, port: port) ?? SocketAddress(ipv6: address, port: port) {
                return result
            }
            throw .invalidUpstream(self, reason: "not a numeric IPv4 or IPv6 address")
        case .unix(let path):
            if let result = SocketAddress(unixPath: path) { return result }
            throw .invalidUpstream(self, reason: "the path of a Unix socket has 1 to 107 bytes")
        }
    }
}

/// A `sockaddr` of any family.
struct SocketAddress: Sendable {
    // Bytes, not sockaddr_storage: the thread-safety of an imported union of pointers need not be argued about.
    private let bytes: [UInt8]
    let family: Int32

    init?(ipv4 address: String, port: UInt16) {
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &value.sin_addr) == 1 else { return nil }
        bytes = withUnsafeBytes(of: value) { Array($0) }
        family = AF_INET
    }

    init?(ipv6 address: String, port: UInt16) {
        var value = sockaddr_in6()
        value.sin6_family = sa_family_t(AF_INET6)
        value.sin6_port = port.bigEndian
        guard inet_pton(AF_INET6, address, &value.sin6_addr) == 1 else { return nil }
        bytes = withUnsafeBytes(of: value) { Array($0) }
        family = AF_INET6
    }

    init?(unixPath path: String) {
        var value = sockaddr_un()
        value.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: value.sun_path)
        guard !path.isEmpty, path.utf8.count < room else { return nil }
        withUnsafeMutableBytes(of: &value.sun_path) { $0.copyBytes(from: path.utf8) }
        bytes = withUnsafeBytes(of: value) { Array($0) }
        family = AF_UNIX
    }

    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
        bytes.withUnsafeBytes { raw in
            raw.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) }
        }
    }
}
