import Glibc

/// An address as users write it: where a proxy listens, or where it leads to. A value.
package enum ProxyAddress: Sendable, Equatable, CustomStringConvertible {
    /// `host` is a name, a numeric address, or empty for every address of this machine.
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    /// Reads `host:port`, `[::1]:port`, `:port`, the path of a Unix socket (`/…`) or `unix:PATH`. A port may be the name of
    /// a service (`localhost:postgresql`), as in Go, whose clients rely on it.
    ///
    /// - Throws: ``ProxyError/badAddress(_:reason:)``.
    package init(_ text: String) throws(ProxyError) {
        if text.hasPrefix("/") || text.hasPrefix("unix:") {
            let path = text.hasPrefix("unix:") ? String(text.dropFirst(5)) : text
            guard SocketAddress(unixPath: path) != nil else { throw .badAddress(text, reason: Self.pathRule) }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw .badAddress(text, reason: "missing port in address; write HOST:PORT, or the path of a Unix socket")
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw .badAddress(text, reason: "too many colons; write an IPv6 address as [::1]:PORT")
        }
        let portText = String(text[text.index(after: colon)...])
        guard let port = UInt16(portText) ?? Self.port(ofService: portText) else {
            throw .badAddress(text, reason: "the port is a number from 0 to 65535, or the name of a service")
        }
        guard !host.utf8.contains(0) else { throw .badAddress(text, reason: "a host has no NUL character") }
        self = .tcp(host: String(host), port: port)
    }

    private static let pathRule = "the path of a Unix socket has 1 to 107 bytes, none of them NUL"

    /// As the machine's list of services has it (`/etc/services`).
    private static func port(ofService name: String) -> UInt16? {
        // RFC 6335 §5.1: what else is no name, and need not be looked for.
        let isName = name.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                || byte == UInt8(ascii: "-")
        }
        guard isName, name.utf8.count <= 15, name.contains(where: \.isLetter) else { return nil }
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_family = AF_INET
        hints.ai_flags = AI_PASSIVE
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(nil, name, &hints, &list) == 0, let found = list?.pointee else { return nil }
        defer { freeaddrinfo(list) }
        return found.ai_addr.flatMap { SocketAddress($0, length: found.ai_addrlen) }?.port
    }

    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): path
        }
    }

    /// Asks the resolver where it is a name, which may take seconds: not on a relay's thread.
    ///
    /// - Parameters:
    ///   - isForListening: an empty host means every address; else it means this machine.
    ///   - hasDualStack: every address is those of IPv6 and IPv4, else of IPv4 only.
    /// - Throws: ``ProxyError/badAddress(_:reason:)``.
    func resolve(
        isForListening: Bool, hasDualStack: @autoclosure () -> Bool = Sockets.hasDualStack
    ) throws(ProxyError) -> SocketAddress {
        switch self {
        case .unix(let path):
            if let address = SocketAddress(unixPath: path) { return address }
            throw .badAddress(path, reason: Self.pathRule)
        case .tcp(let host, let port):
            if host.isEmpty {
                let any = isForListening && hasDualStack() ? SocketAddress(ipv6: "::", port: port) : nil
                if let any = any ?? SocketAddress(ipv4: isForListening ? "0.0.0.0" : "127.0.0.1", port: port) {
                    return any
                }
            }
            if let address = SocketAddress(ipv4: host, port: port) ?? SocketAddress(ipv6: host, port: port) {
                return address
            }
            return try Self.look(up: host, port: port, for: description)
        }
    }

    /// The first IPv4 address of a name, else the first of any family, like other proxies.
    private static func look(up host: String, port: UInt16, for text: String) throws(ProxyError) -> SocketAddress {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else { throw .badAddress(text, reason: String(cString: gai_strerror(status))) }
        defer { freeaddrinfo(list) }
        var found: SocketAddress?
        var next = list
        while let info = next?.pointee {
            if let address = info.ai_addr.flatMap({ SocketAddress($0, length: info.ai_addrlen) }) {
                if address.family == AF_INET { return address }
                found = found ?? address
            }
            next = info.ai_next
        }
        guard let found else { throw .badAddress(text, reason: "the name has no address") }
        return found
    }
}

extension ProxyAddress {
    /// 0 for a Unix socket.
    package var port: UInt16 { if case .tcp(_, let port) = self { port } else { 0 } }
}
