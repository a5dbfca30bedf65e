import CLinux
import Glibc

/// One process, also after its number was given to another one.
package struct ProcessIdentity: Sendable, Hashable, Codable {
    package let pid: Int32
    /// Clock ticks from boot to its start.
    package let startTicks: UInt64

    package init(pid: Int32, startTicks: UInt64) {
        self.pid = pid
        self.startTicks = startTicks
    }

    /// This process.
    package static var current: ProcessIdentity {
        guard let identity = ProcessTable.identity(of: getpid()) else {
            preconditionFailure("cannot read /proc/self/stat: is /proc mounted?")
        }
        return identity
    }

    /// It still runs (a zombie does not).
    package var isAlive: Bool { ProcessTable.isAlive(pid, startTicks: startTicks) }

    /// Sends a signal to this process and never to one that took its number.
    ///
    /// - Returns: 0, or an `errno`: ESRCH when it is gone, EPERM when it is another user's.
    @discardableResult
    package func signal(_ number: Int32) -> Int32 {
        let descriptor = clinux_process_descriptor(pid)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        // The descriptor is bound to one process; only then is looking at its start time free of a race.
        guard isAlive else { return ESRCH }
        return clinux_signal_process(descriptor, number) == 0 ? 0 : errno
    }
}
