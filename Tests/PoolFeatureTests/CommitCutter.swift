import CLinux
import Glibc
import Synchronization
import Testing
import Threading

/// A relay on 127.0.0.1 in front of the test's server, which cuts a client's connection at its COMMIT.
final class CommitCutter: Sendable {
    /// What becomes of the COMMIT whose client is cut.
    enum Fate: Sendable {
        /// It reaches the server, which answers; the answer is swallowed.
        case answerSwallowed
        /// It never reaches the server, whose session ends.
        case neverForwarded
        /// It never reaches the server, whose session stays until the cutter is stopped.
        case sessionKept
    }

    let port: UInt16
    private let listener: Int32
    private let upstream: UInt16
    private let armed = Lock<[Fate]>([])
    private let isStopped = Atomic<Bool>(false)
    private let threads = Lock<[ServiceThread]>([])
    private let cuts = Atomic<Int>(0)

    init(upstream: UInt16) throws {
        self.upstream = upstream
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, generic, &size) == 0
            }
        }
        try #require(bound, "no port on 127.0.0.1: error \(errno)")
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        let accepting = ServiceThread(name: "cutter") { [self] in accept() }
        threads.withLock { $0.append(accepting) }
    }

    /// The next COMMITs end so, one after the other.
    func cutCommits(_ fates: Fate...) { armed.withLock { $0 += fates } }

    var cutCount: Int { cuts.load(ordering: .acquiring) }

    func stop() {
        isStopped.store(true, ordering: .releasing)
        while let thread = threads.withLock({ $0.popLast() }) { thread.join() }
        close(listener)
    }

    private func accept() {
        while !isStopped.load(ordering: .acquiring) {
            guard Self.wait([listener])[0] else { continue }
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { continue }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = Self.loopback(port: upstream)
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(server, $0, size) == 0 }
            }
            let thread = ServiceThread(name: "cutter-pair") { [self] in
                if isConnected { relay(client, server) }
                close(client)
                close(server)
            }
            threads.withLock { $0.append(thread) }
        }
    }

    private func relay(_ client: Int32, _ server: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !isStopped.load(ordering: .acquiring) {
            let ready = Self.wait([client, server])
            if ready[0] {
                let count = read(client, &buffer, buffer.count)
                guard count > 0 else { return }
                if let fate = fate(of: buffer[..<count]) { return cut(client, server, buffer[..<count], fate) }
                guard Self.writeAll(buffer[..<count], to: server) else { return }
            }
            if ready[1] {
                let count = read(server, &buffer, buffer.count)
                guard count > 0, Self.writeAll(buffer[..<count], to: client) else { return }
            }
        }
    }

    private func fate(of bytes: ArraySlice<UInt8>) -> Fate? {
        let word = Array("COMMIT".utf8)
        guard bytes.indices.contains(where: { bytes[$0...].starts(with: word) }) else { return nil }
        return armed.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    }

    private func cut(_ client: Int32, _ server: Int32, _ commit: ArraySlice<UInt8>, _ fate: Fate) {
        if fate == .answerSwallowed {
            _ = Self.writeAll(commit, to: server)
            var answer = [UInt8](repeating: 0, count: 4096)
            _ = read(server, &answer, answer.count)
        }
        cuts.add(1, ordering: .releasing)
        shutdown(client, Int32(SHUT_RDWR))
        guard fate == .sessionKept else { return }
        while !isStopped.load(ordering: .acquiring) { _ = Self.wait([]) }
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Waits a little for something to read; which of them have it.
    private static func wait(_ descriptors: [Int32]) -> [Bool] {
        var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        _ = poll(&polled, nfds_t(polled.count), 20)
        return polled.map { $0.revents != 0 }
    }

    private static func writeAll(_ bytes: ArraySlice<UInt8>, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
