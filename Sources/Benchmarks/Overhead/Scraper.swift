import Dispatch
import Glibc
import HostSystem
import Threading

/// Asks for metrics at fixed times as Prometheus does, from a thread of its own, and throws them away.
final class Scraper: Sendable {
    private static let answerLimit = Duration.seconds(5)
    private static let forms = [
        "text/plain;version=0.0.4",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
    ]

    private let port: UInt16
    private let every: Duration
    private let answers = Lock(0)
    private let isOver = DispatchSemaphore(value: 0)
    private let thread = Lock<ServiceThread?>(nil)

    /// Starts at once. Nobody may listen yet.
    init(port: UInt16, every: Duration) {
        self.port = port
        self.every = every
        let asker = ServiceThread(name: "scraper") { [self] in work() }
        thread.withLock { $0 = asker }
    }

    /// - Returns: how many answers with metrics came.
    func stop() -> Int {
        if let asker = thread.withLock({ $0.take() }) {
            isOver.signal()
            asker.join()
        }
        return answers.withLock { $0 }
    }

    /// One that nobody listens on now.
    static func freePort() throws(SystemError) -> UInt16 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(socket, raw, length) == 0 ? getsockname(socket, raw, &length) : -1
            }
        }
        guard status == 0 else { throw SystemError("find a free port") }
        return UInt16(bigEndian: address.sin_port)
    }

    private func work() {
        var count = 0
        repeat {
            if ask(Self.forms[count % Self.forms.count]) { answers.withLock { $0 += 1 } }
            count += 1
        } while isOver.wait(timeout: .now() + .nanoseconds(Int(every.nanoseconds))) == .timedOut
    }

    private func ask(_ form: String) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(socket) }
        var limit = timeval(tv_sec: Int(Self.answerLimit.seconds), tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = Self.loopback(port)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { return false }
        let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: \(form)\r\nConnection: close\r\n\r\n"
        let sent = Array(request.utf8)
        guard send(socket, sent, sent.count, Int32(MSG_NOSIGNAL)) == sent.count else { return false }
        var head: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(socket, &chunk, chunk.count, 0)
            if count < 0 { return false }
            if count == 0 { break }
            if head.isEmpty { head = Array(chunk[..<count]) }
        }
        return head.starts(with: Array("HTTP/1.1 200 ".utf8))
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
