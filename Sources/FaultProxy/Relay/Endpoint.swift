import CLinux

/// One end of a connection, as the edge-triggered events tell. Used by one thread.
final class Endpoint {
    var descriptor: Int32
    /// A read may give something: until one gives less than it could.
    var isReadable = false
    /// A write may take something: until one says EAGAIN.
    var isWritable = false
    /// The peer has sent its FIN, so a read tells the end and never that there is nothing yet.
    var hasPeerFinished = false
    /// The connection was reset or died otherwise: the errno.
    var error: Int32?

    var isBroken: Bool { error != nil }

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Takes in what epoll said.
    func note(_ events: UInt32) {
        // After an error or a hang-up reads and writes do not block either: they tell the rest.
        let isOver = events & (clinux_EPOLLERR | clinux_EPOLLHUP) != 0
        // Urgent data stops a read short of what is there; it announces itself.
        if isOver || events & (clinux_EPOLLIN | clinux_EPOLLPRI | clinux_EPOLLRDHUP) != 0 { isReadable = true }
        if isOver || events & clinux_EPOLLOUT != 0 { isWritable = true }
        if isOver || events & clinux_EPOLLRDHUP != 0 { hasPeerFinished = true }
        guard events & clinux_EPOLLERR != 0 else { return }
        let error = Sockets.takeError(descriptor)
        if error != 0, self.error == nil { self.error = error }
    }
}
