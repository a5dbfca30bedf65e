import CLinux
import Glibc

/// What a running process may use of something, at the most (prlimit(2)). Stateless.
package enum ProcessLimit: Sendable {
    /// Numbers of descriptors.
    case descriptors

    private var resource: Int32 {
        switch self {
        case .descriptors: Int32(RLIMIT_NOFILE.rawValue)
        }
    }

    /// The soft limit now, which the kernel enforces, and the hard one, up to which the process itself may raise it.
    package func value(of pid: Int32) throws(SystemError) -> (soft: UInt64, hard: UInt64) {
        try call(pid, nil)
    }

    /// Changes the soft limit only: to lower the hard one could not be taken back without privileges.
    ///
    /// - Returns: what the kernel says afterwards.
    @discardableResult
    package func setSoft(_ value: UInt64, of pid: Int32) throws(SystemError) -> UInt64 { try call(pid, value).soft }

    private func call(_ pid: Int32, _ new: UInt64?) throws(SystemError) -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        let result =
            if var new { clinux_process_limit(pid, resource, &new, &soft, &hard) } else {
                clinux_process_limit(pid, resource, nil, &soft, &hard)
            }
        guard result == 0 else { throw SystemError("the limit of \(self) of process \(pid)") }
        return (soft, hard)
    }
}
