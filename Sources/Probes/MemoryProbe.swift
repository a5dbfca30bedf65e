import Glibc
import HostSystem

/// The memory of this process, or of another one.
package enum MemoryProbe {
    /// Resident memory in bytes, from /proc/PID/statm (its second field, in pages).
    ///
    /// - Parameter pid: `nil`: this process.
    /// - Returns: `nil` when /proc cannot be read, or there is no such process.
    package static func residentBytes(of pid: Int32? = nil) -> Int? {
        guard let fields = SmallFile.text("/proc/\(pid.map { "\($0)" } ?? "self")/statm")?.split(separator: " "),
            fields.count > 1,
            let pages = Int(fields[1])
        else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
