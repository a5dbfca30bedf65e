import Glibc
import HostSystem
import Threading

/// The answer to an HTTP request.
package struct HTTPReply: Sendable {
    package var status: Int
    /// Names in lower case.
    package var headers: [String: String]
    package var body: String
}

/// Why there is no answer.
package struct HTTPClientError: Error, CustomStringConvertible {
    package let description: String
}

/// HTTP/1.1 over a socket, one connection for each request: only what tests need, and every byte of it known.
package struct HTTPClient: Sendable {
    private let address: String
    private let port: UInt16

    /// - Parameter address: `127.0.0.1:PORT`, or `[::1]:PORT`.
    package init(_ address: String) {
        let colon = address.lastIndex(of: ":") ?? address.startIndex
        self.address = String(address[..<colon].drop { $0 == "[" }.prefix { $0 != "]" })
        port = UInt16(address[colon...].dropFirst()) ?? 0
    }

    /// Sends a request and reads its answer to the end.
    ///
    /// - Throws: ``HTTPClientError`` also for a server that says nothing within the limit.
    package func send(
        _ method: String, _ path: String, body: [UInt8] = [], headers: [(String, String)] = [],
        within limit: Duration = .seconds(60)
    ) async throws -> HTTPReply {
        var head = "\(method) \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        if !body.isEmpty || method == "POST" || method == "PATCH" { head += "Content-Length: \(body.count)\r\n" }
        let request = Array((head + "\r\n").utf8) + body
        let answer = try await exchange(request, within: limit)
        return try HTTPReply(parsing: answer)
    }

    package func send(
        _ method: String, _ path: String, _ body: String, headers: [(String, String)] = []
    ) async throws -> HTTPReply {
        try await send(method, path, body: Array(body.utf8), headers: headers)
    }

    /// Sends bytes, and reads until the server closes.
    ///
    /// - Parameter halfCloses: shuts down its side when it has sent them.
    package func exchange(
        _ bytes: [UInt8], within limit: Duration = .seconds(60), halfCloses: Bool = false
    ) async throws -> [UInt8] {
        try await onOwnThread("http") { () -> Result<[UInt8], HTTPClientError> in
            do throws(HTTPClientError) {
                return .success(try talk(bytes, limit, halfCloses))
            } catch {
                return .failure(error)
            }
        }.get()
    }

    /// A connection that says these bytes and then nothing more. The caller closes the descriptor.
    package func open(saying bytes: [UInt8] = []) throws -> Int32 {
        let socket = try connected(.seconds(60))
        _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        return socket
    }

    private func talk(_ bytes: [UInt8], _ limit: Duration, _ halfCloses: Bool) throws(HTTPClientError) -> [UInt8] {
        let socket = try connected(limit)
        defer { close(socket) }
        let deadline = MonotonicInstant.now.advanced(by: limit)
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // A server may answer and close before it has read everything.
            if count <= 0 { break }
            rest = rest.dropFirst(count)
        }
        if halfCloses { shutdown(socket, Int32(SHUT_WR)) }
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while MonotonicInstant.now < deadline {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count == 0 { return answer }
            if count < 0 {
                if !answer.isEmpty, errno == ECONNRESET { return answer }
                throw HTTPClientError(
                    description: "no answer from \(address):\(port): \(String(cString: strerror(errno)))")
            }
            answer += chunk[..<count]
        }
        throw HTTPClientError(description: "the answer of \(address):\(port) did not end within \(limit)")
    }

    private func connected(_ limit: Duration) throws(HTTPClientError) -> Int32 {
        let isIPv6 = address.contains(":")
        let socket = Glibc.socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var time = timeval(tv_sec: max(1, Int(limit.nanoseconds / 1_000_000_000)), tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        var status: Int32
        if isIPv6 {
            var target = sockaddr_in6()
            target.sin6_family = sa_family_t(AF_INET6)
            target.sin6_port = port.bigEndian
            inet_pton(AF_INET6, address, &target.sin6_addr)
            status = Self.connect(socket, &target, MemoryLayout<sockaddr_in6>.size)
        } else {
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = port.bigEndian
            inet_pton(AF_INET, address, &target.sin_addr)
            status = Self.connect(socket, &target, MemoryLayout<sockaddr_in>.size)
        }
        guard status == 0 else {
            let reason = String(cString: strerror(errno))
            close(socket)
            throw HTTPClientError(description: "cannot connect to \(address):\(port): \(reason)")
        }
        return socket
    }

    private static func connect<T>(_ socket: Int32, _ address: inout T, _ size: Int) -> Int32 {
        withUnsafeBytes(of: &address) { raw in
            raw.baseAddress.map {
                Glibc.connect(socket, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(size))
            } ?? -1
        }
    }
}

extension HTTPReply {
    /// Reads an answer that ends with its connection; one to "Expect: 100-continue" is not expected.
    init(parsing bytes: [UInt8]) throws(HTTPClientError) {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let headEnd = text.firstRange(of: "\r\n\r\n") else {
            throw HTTPClientError(description: "no HTTP answer: \(text.prefix(200))")
        }
        let lines = text[..<headEnd.lowerBound].split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw HTTPClientError(description: "no HTTP status: \(text.prefix(200))")
        }
        self.status = status
        headers = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        body = String(text[headEnd.upperBound...])
        if let length = headers["content-length"].flatMap({ Int($0) }), length != body.utf8.count {
            throw HTTPClientError(description: "\(body.utf8.count) bytes of a body of \(length)")
        }
    }
}
