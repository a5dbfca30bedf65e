import Glibc
import Threading

/// A TCP server on a free port that sends back what it gets, until it is closed.
final class EchoServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let thread: ServiceThread

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard status else { throw RigTestError("no echo server: \(String(cString: strerror(errno)))") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        thread = ServiceThread(name: "echo") {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                // A thread for each client would have to be joined: they are few, and none stays.
                var chunk = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = recv(client, &chunk, chunk.count, 0)
                    guard count > 0, send(client, chunk, count, Int32(MSG_NOSIGNAL)) == count else { break }
                }
                close(client)
            }
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        thread.join()
        close(listener)
    }
}
