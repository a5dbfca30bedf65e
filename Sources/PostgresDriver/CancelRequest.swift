import EventLoop
import Glibc
import Threading

/// A connection of its own that asks the server to end what another session runs. Never blocks a thread, and closes its
/// socket by the deadline.
struct CancelRequest {
    let target: CancelTarget
    let loop: EventLoop

    /// Sends the request, and waits until the server has read it: then the signal is on its way.
    ///
    /// - Returns: whether the server has taken it. It does not say what came of it.
    nonisolated(nonsending) func run(until deadline: MonotonicInstant) async -> Bool {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, flags, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        do throws(LoopError) {
            let slot = loop.makeSlot()
            guard connect(descriptor) else { return false }
            // A connect that failed shows here: there is nothing to write to.
            try await loop.wait(slot, descriptor, for: .writable, until: deadline)
            let request = target.request
            guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return false }
            try await loop.wait(slot, descriptor, for: .readable, until: deadline)
            return true
        } catch {
            return false
        }
    }

    private var family: Int32 {
        target.address.withUnsafeBytes { Int32($0.loadUnaligned(as: sa_family_t.self)) }
    }

    /// Whether the connect has succeeded or goes on.
    private func connect(_ descriptor: Int32) -> Bool {
        var address = sockaddr_storage()
        withUnsafeMutableBytes(of: &address) { $0.copyBytes(from: target.address) }
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(target.address.count))
            }
        }
        return status == 0 || errno == EINPROGRESS
    }
}
