import CLinux
import Glibc
package import HostSystem
import RigModel
import Threading

/// A name server of the rig's own for one name, on port 53 of loopback of the network that this process is in: a private stage.
/// Thread-safe; a thread of its own answers, until ``stop()``.
package final class NameServer: Sendable {
    private struct Pending {
        var due: Int64
        var peer: sockaddr_in
        var bytes: [UInt8]
    }

    private struct State {
        var behaviour: NameBehaviour
        var generator = SeededGenerator(seed: 0)
        var counts = NameCounts()
        var isEnding = false
    }

    package let name: String
    private let socket: Int32
    /// Written to when the thread is to end.
    private let wakeup: Int32
    private let state: Lock<State>
    private let thread: Lock<ServiceThread?>

    /// - Parameter address: what the name stands for at first.
    package init(name: String, address: String) throws(SystemError) {
        self.name = name
        state = Lock(State(behaviour: NameBehaviour(address: address)))
        thread = Lock(nil)
        socket = try Self.listen()
        wakeup = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        // Keeps this object until stop().
        let started = ServiceThread(name: "names") { self.serve() }
        thread.withLock { $0 = started }
    }

    deinit {
        close(socket)
        close(wakeup)
    }

    /// From now on; answers that are held stay so.
    ///
    /// - Parameter seed: draws which lookups are affected.
    package func behave(_ behaviour: NameBehaviour, seed: UInt64) {
        state.withLock { state in
            state.behaviour = behaviour
            state.generator = SeededGenerator(seed: seed, stream: "names")
        }
    }

    package var behaviour: NameBehaviour { state.withLock { $0.behaviour } }
    package var counts: NameCounts { state.withLock { $0.counts } }

    /// Ends the thread. Idempotent.
    package func stop() {
        state.withLock { $0.isEnding = true }
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
        thread.withLock { $0.take() }?.join()
    }

    private static func listen() throws(SystemError) -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(53).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard socket >= 0, bound == 0 else {
            let error = SystemError("listen for questions about names on 127.0.0.1:53")
            if socket >= 0 { close(socket) }
            throw error
        }
        return socket
    }

    private func serve() {
        var pending: [Pending] = []
        while !state.withLock({ $0.isEnding }) {
            let now = Int64(MonotonicInstant.now.nanoseconds)
            for answer in pending where answer.due <= now { send(answer) }
            pending.removeAll { $0.due <= now }
            let next = pending.map(\.due).min()
            var polled = [
                pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
                pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0),
            ]
            clinux_poll(&polled, 2, next.map { max(0, $0 - now) } ?? -1)
            if polled[0].revents != 0, let answer = receive() { pending.append(answer) }
        }
    }

    private func receive() -> Pending? {
        var buffer = [UInt8](repeating: 0, count: 1500)
        var peer = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let got = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
            }
        }
        guard got > 0, let message = DNSMessage(Array(buffer[..<got])) else { return nil }
        let (answer, delay) = decide(message)
        return Pending(
            due: Int64(MonotonicInstant.now.nanoseconds) + Int64(clamping: delay.nanoseconds), peer: peer,
            bytes: message.reply(answer))
    }

    private func decide(_ message: DNSMessage) -> (DNSMessage.Answer, Duration) {
        guard message.name == name else { return (.noSuchName, .zero) }
        return state.withLock { state in
            let isAffected = Double.random(in: 0..<1, using: &state.generator) < state.behaviour.share
            if message.wantsIPv4 { state.counts.questions += 1 }
            if isAffected, state.behaviour.fails {
                state.counts.failed += 1
                return (.serverFailure, .zero)
            }
            let isSlow = isAffected && state.behaviour.delay > .zero
            if isSlow { state.counts.delayed += 1 }
            if message.wantsIPv4 { state.counts.answers[state.behaviour.address, default: 0] += 1 }
            return (
                message.wantsIPv4 ? .address(state.behaviour.address) : .nothing, isSlow ? state.behaviour.delay : .zero
            )
        }
    }

    private func send(_ answer: Pending) {
        var peer = answer.peer
        withUnsafePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(socket, answer.bytes, answer.bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
