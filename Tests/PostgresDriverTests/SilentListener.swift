import Glibc
import HostSystem

/// A listener whose kernel completes every connect, and behind which nobody ever answers.
final class SilentListener: Sendable {
    private let listener = loopbackListener()

    deinit { close(listener) }

    var port: UInt16 { portOf(listener) }

    var url: String { "postgresql://tester@127.0.0.1:\(port)/any?sslmode=disable&gssencmode=disable" }

    /// Returns when a client waits in the listener's queue.
    func untilReached() async {
        var request = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, 0) < 1 { await Task.yield() }
    }

    /// Takes all clients out of the queue, and counts those that have closed their side, at once or within a minute.
    func acceptAll() async -> (accepted: Int, closed: Int) {
        await onOwnThread("accept all") { self.acceptAllBlocking() }
    }

    private func acceptAllBlocking() -> (accepted: Int, closed: Int) {
        var (accepted, closed) = (0, 0)
        var request = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        while poll(&request, 1, 0) == 1 {
            let client = accept(listener, nil, nil)
            accepted += 1
            defer { close(client) }
            var bound = timeval(tv_sec: 60, tv_usec: 0)
            setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
            var buffer = [UInt8](repeating: 0, count: 4096)
            var got = 0
            repeat { got = recv(client, &buffer, buffer.count, 0) } while got > 0
            if got == 0 || errno == ECONNRESET { closed += 1 }
        }
        return (accepted, closed)
    }
}
