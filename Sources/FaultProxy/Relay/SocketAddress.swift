import CLinux
import Glibc

/// A `sockaddr` of any family. A value.
struct SocketAddress: Sendable, Equatable {
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
        guard !path.isEmpty, path.utf8.count < room, !path.utf8.contains(0) else { return nil }
        withUnsafeMutableBytes(of: &value.sun_path) { $0.copyBytes(from: path.utf8) }
        bytes = withUnsafeBytes(of: value) { Array($0) }
        family = AF_UNIX
    }

    /// - Parameter length: of what the kernel or the resolver wrote to `address`.
    init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        guard length >= MemoryLayout<sa_family_t>.size else { return nil }
        bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(length)))
        // Not `sa_family`: several C modules have it, and which one Swift means differs between debug and release.
        family = Int32(UnsafeRawPointer(address).load(as: sa_family_t.self))
    }

    /// Of a socket: `getsockname` or `getpeername`.
    init?(of socket: Int32, _ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let made = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                ask(socket, address, &length) == 0 ? SocketAddress(address, length: length) : nil
            }
        }
        guard let made else { return nil }
        self = made
    }

    func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R? {
        bytes.withUnsafeBytes { raw in
            raw.baseAddress.map { body($0.assumingMemoryBound(to: sockaddr.self), socklen_t(raw.count)) }
        }
    }

    /// 0 for a Unix socket.
    var port: UInt16 {
        // In both families it follows the family.
        family == AF_UNIX || bytes.count < 4 ? 0 : UInt16(bytes[2]) << 8 | UInt16(bytes[3])
    }

    /// Of a Unix socket; empty for one without a name.
    var path: String { String(decoding: bytes.dropFirst(2).prefix { $0 != 0 }, as: UTF8.self) }

    /// A client of IPv4 at a socket of both families.
    private var isMappedIPv4: Bool {
        family == AF_INET6 && bytes.count >= 24 && bytes[8..<18].allSatisfy { $0 == 0 } && bytes[18..<20] == [255, 255]
    }

    /// `127.0.0.1:5432`, `[::1]:5432`, the path or `unix:` and a relative one, as ``ProxyAddress`` reads it; empty for a Unix
    /// socket without a name. An address of IPv4 that is written as one of IPv6 has IPv4's text.
    var text: String {
        if family == AF_UNIX { return path.isEmpty || path.hasPrefix("/") ? path : "unix:\(path)" }
        let isIPv4 = family == AF_INET || isMappedIPv4
        let start = family == AF_INET ? 4 : isIPv4 ? 20 : 8
        guard bytes.count >= start + (isIPv4 ? 4 : 16) else { return "" }
        var name = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        bytes.withUnsafeBytes {
            let family = isIPv4 ? AF_INET : AF_INET6
            _ = inet_ntop(family, $0.baseAddress.map { $0 + start }, &name, socklen_t(name.count))
        }
        let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return isIPv4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }
}
