import Glibc

/// Why a relay could not be started.
package enum RelayError: Error, Sendable, Equatable, CustomStringConvertible {
    case invalidUpstream(RelayUpstream, reason: String)
    /// A relay runs once; make a new one.
    case startedBefore
    /// The port on 127.0.0.1 could not be had. `error` is an errno.
    case listenFailed(port: UInt16, error: Int32)
    /// A kernel object could not be made. `error` is an errno.
    case systemCallFailed(String, error: Int32)

    package var description: String {
        switch self {
        case .invalidUpstream(let upstream, let reason): "relay: cannot lead to '\(upstream)': \(reason)"
        case .startedBefore: "relay: it was started before; make a new one"
        case .listenFailed(let port, let error):
            "relay: cannot listen on 127.0.0.1:\(port): \(Self.text(error)); "
                + "choose another port, or 0 for one that is free"
        case .systemCallFailed(let name, let error):
            "relay: \(name) failed: \(Self.text(error)) (is the limit of open files reached? see ulimit -n)"
        }
    }

    private static func text(_ error: Int32) -> String { String(cString: strerror(error)) }
}
