import Glibc

/// Two connected non-blocking sockets of this process. Closed when the last reference goes.
final class SocketPair: Sendable {
    let near: Int32
    let far: Int32

    init() {
        var pair: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        precondition(socketpair(AF_UNIX, type, 0, &pair) == 0, "socketpair failed: errno \(errno)")
        (near, far) = (pair[0], pair[1])
    }

    deinit {
        close(near)
        close(far)
    }

    /// Makes `near` readable.
    func writeFar(bytes: Int = 1) { _ = write(far, [UInt8](repeating: 1, count: bytes), bytes) }

    /// Takes what can be read from `near`.
    func drainNear() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(near, &buffer, buffer.count) > 0 {}
    }

    /// Fills the way from `near` to `far`, so that `near` is not writable any more.
    func fillNear() {
        let buffer = [UInt8](repeating: 0, count: 4096)
        while write(near, buffer, buffer.count) > 0 {}
    }

    /// Takes everything that waits at `far`, so that `near` is writable again.
    func drainFar() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(far, &buffer, buffer.count) > 0 {}
    }
}
