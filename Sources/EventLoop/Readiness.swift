import CLinux

/// What a wait waits for. An error or a hang-up on the descriptor ends every wait: the next read or write tells more.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Bytes (or the end of the stream, or a connection to accept) can be read.
    public static let readable = Readiness(rawValue: 1)
    /// Bytes can be written, or a connect has finished.
    public static let writable = Readiness(rawValue: 2)
    /// Whichever comes first.
    public static let both: Readiness = [.readable, .writable]

    /// The bits for epoll_ctl(2).
    var epollEvents: UInt32 {
        (contains(.readable) ? clinux_EPOLLIN : 0) | (contains(.writable) ? clinux_EPOLLOUT : 0)
    }
}
