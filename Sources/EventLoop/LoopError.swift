import Glibc

/// Why a wait on an ``EventLoop`` ended without what it waited for.
public enum LoopError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The deadline passed first. The descriptor may still become ready later.
    case timedOut
    /// The waiting task was cancelled, before or during the wait.
    case cancelled
    /// The loop was shut down. Nothing can be waited for on it any more.
    case stopped
    /// The kernel refused a call. `errno` is its number, `call` the function's name.
    case system(errno: Int32, call: String)

    public var description: String {
        switch self {
        case .timedOut: "the deadline passed before the descriptor was ready"
        case .cancelled: "the waiting task was cancelled"
        case .stopped: "the event loop was shut down while something still waited on it; stop its users before it"
        case .system(let number, let call): "\(call) failed: \(String(cString: strerror(number))) (errno \(number))"
        }
    }
}
