import CLinux
import FaultProxy
import Glibc
import HostSystem
import Testing
import Threading

/// A blocking socket whose waits are bounded to a minute, so that a defect fails a test instead of hanging it.
///
/// Close-on-exec from the start: a child process that an exit test starts at the wrong moment would keep the connection
/// open.
final class TestSocket: Sendable {
    let descriptor: Int32
    private let isOpen = Lock(true)

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 600, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close() }

    static func make(_ family: Int32 = AF_INET) -> TestSocket {
        TestSocket(socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0))
    }

    /// Listens on a free port of 127.0.0.1.
    static func listen(backlog: Int32 = 64) throws -> TestSocket {
        let listener = make()
        let status = withLoopback(0) { bind(listener.descriptor, $0, $1) }
        try #require(status == 0 && Glibc.listen(listener.descriptor, backlog) == 0, "cannot listen: error \(errno)")
        return listener
    }

    /// Listens on a Unix socket.
    static func listen(atPath path: String, backlog: Int32 = 64) throws -> TestSocket {
        let listener = make(AF_UNIX)
        let status = withUnixAddress(path) { bind(listener.descriptor, $0, $1) }
        try #require(status == 0 && Glibc.listen(listener.descriptor, backlog) == 0, "cannot listen: error \(errno)")
        return listener
    }

    static func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }

    /// Waits for the next client; `nil` when the listener was cut, or after the limit (-1: none).
    func accept(withinMilliseconds limit: Int32 = 600_000) -> TestSocket? {
        while true {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let count = poll(&ready, 1, limit)
            if count < 0 { continue }  // EINTR
            if count == 0 { return nil }
            let accepted = clinux_accept_nonblocking(descriptor)
            if accepted < 0 {
                if errno == EAGAIN || errno == ECONNABORTED { continue }
                return nil
            }
            _ = fcntl(accepted, F_SETFL, 0)  // blocking
            return TestSocket(accepted)
        }
    }

    static func connect(toPort port: UInt16) throws -> TestSocket {
        let client = make()
        let status = withLoopback(port) { Glibc.connect(client.descriptor, $0, $1) }
        try #require(status == 0, "connect to port \(port): error \(errno)")
        return client
    }

    static func withLoopback(_ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    var localPort: UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// - Returns: 0, or the errno.
    @discardableResult
    func write(_ bytes: [UInt8]) -> Int32 {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 { return errno }
            sent += count
        }
        return 0
    }

    enum Read: Equatable {
        case bytes([UInt8])
        case end
        case error(Int32)
    }

    func read(upTo limit: Int = 1 << 16) -> Read {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        if count < 0 { return .error(errno) }
        return count == 0 ? .end : .bytes(Array(buffer[..<count]))
    }

    /// Reads until `count` bytes are there.
    func read(exactly count: Int) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            let part = read(upTo: min(count - all.count, 1 << 18))
            guard case .bytes(let bytes) = part else {
                throw SocketTestError("\(part) after \(all.count) of \(count) bytes")
            }
            all += bytes
        }
        return all
    }

    /// Reads to the end.
    ///
    /// - Returns: the bytes, and how it ended.
    func readAll() -> (bytes: [UInt8], last: Read) {
        var all: [UInt8] = []
        while true {
            let part = read()
            guard case .bytes(let bytes) = part else { return (all, part) }
            all += bytes
        }
    }

    func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    func close() {
        isOpen.withLock { isOpen in
            if isOpen { _ = Glibc.close(descriptor) }
            isOpen = false
        }
    }

    /// Ends reads and writes that wait in another thread. Does nothing to a closed socket: its number may be in use for
    /// something else.
    func cut() {
        isOpen.withLock { if $0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) } }
    }
}

struct SocketTestError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Accepts connections and gives each to `serve` on a thread of its own.
final class TestServer: Sendable {
    private let listener: TestSocket
    private let acceptor = Lock<ServiceThread?>(nil)
    private let serving = Lock<[(ServiceThread, TestSocket)]>([])
    let port: UInt16

    init(unixPath: String? = nil, serve: @escaping @Sendable (TestSocket) -> Void) throws {
        let listener = try unixPath.map { try TestSocket.listen(atPath: $0) } ?? TestSocket.listen()
        self.listener = listener
        port = unixPath == nil ? listener.localPort : 0
        let thread = ServiceThread(name: "test-server") { [unowned self] in
            while let client = listener.accept(withinMilliseconds: -1) {
                let thread = ServiceThread(name: "test-serve") { serve(client) }
                serving.withLock { $0.append((thread, client)) }
            }
        }
        acceptor.withLock { $0 = thread }
    }

    static func echo(unixPath: String? = nil) throws -> TestServer {
        try TestServer(unixPath: unixPath) { client in
            while case .bytes(let bytes) = client.read(upTo: 1 << 18) { if client.write(bytes) != 0 { break } }
            client.close()
        }
    }

    deinit { stop() }

    /// Ends the listener and waits for every thread; the sockets must have been closed by the test, or close now.
    func stop() {
        listener.cut()
        acceptor.withLock { $0.take() }?.join()
        listener.close()
        let all = serving.withLock { serving in
            defer { serving = [] }
            return serving
        }
        for (_, client) in all { client.cut() }
        for (thread, _) in all { thread.join() }
    }
}

/// Lends a path for a Unix socket in a folder of its own, which is removed afterwards.
func withSocketPath(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/chaosrig-relay-XXXXXX".utf8CString)
    let made = mkdtemp(&template)
    let folder = String(cString: try #require(made, "cannot make a folder in /tmp: error \(errno)"))
    defer {
        unlink(folder + "/socket")
        rmdir(folder)
    }
    try await body(folder + "/socket")
}

/// Runs blocking code on a thread of its own: the cooperative pool must not wait for sockets.
func onThread<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    let thread = Lock<ServiceThread?>(nil)
    let result: Result<R, any Error> = await withCheckedContinuation { continuation in
        thread.withLock {
            $0 = ServiceThread(name: "test") { continuation.resume(returning: Result { try body() }) }
        }
    }
    thread.withLock { $0.take() }?.join()
    return try result.get()
}

/// Waits until `condition` holds; only a hang reaches the limit. For tests on a thread of their own.
func eventually(_ what: String, _ condition: () -> Bool) throws {
    let limit = MonotonicInstant.now.advanced(by: .seconds(600))
    guard Waiting.untilTrue(before: limit, every: .milliseconds(1), condition) else {
        throw SocketTestError("it never came true: \(what)")
    }
}

/// The same for asynchronous tests: it leaves the cooperative pool to others.
func eventually(_ what: String, _ condition: @escaping @Sendable () -> Bool) async throws {
    try await onThread { try eventually(what, condition) }
}

/// `count` bytes in which no two neighbouring parts are alike.
func pattern(_ count: Int, seed: Int = 0) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        var state = UInt32(truncatingIfNeeded: seed &+ 1)
        for index in 0..<count {
            state = state &* 1_664_525 &+ 1_013_904_223
            buffer[index] = UInt8(state >> 24)
        }
        initialized = count
    }
}
