import Glibc
import HostSystem

/// This process's memory.
package enum MemoryProbe {
    /// Resident memory in bytes, from /proc/self/statm (its second field, in pages).
    ///
    /// - Returns: `nil` when /proc cannot be read.
    package static func residentBytes() -> Int? {
        guard let fields = SmallFile.text("/proc/self/statm")?.split(separator: " "), fields.count > 1,
            let pages = Int(fields[1])
        else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
