import Glibc
import HostSystem
import SQLiteDriver

/// On what a measurement was made.
package enum MachineFacts {
    package static var cores: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// One event loop for each core, up to four: the server needs cores too.
    package static var loopCount: Int { min(4, cores) }

    /// Processor, cores, kernel and SQLite, in one line.
    package static var line: String {
        let processor = (SmallFile.text("/proc/cpuinfo") ?? "").split(separator: "\n")
            .first { $0.hasPrefix("model name") }?
            .split(separator: ":").last?.drop { $0 == " " }
        let kernel = (SmallFile.text("/proc/sys/kernel/osrelease") ?? "").prefix { $0 != "\n" }
        return
            "\(processor ?? "unknown processor"), \(cores) cores; Linux \(kernel); SQLite \(SQLiteDriver.libraryVersion)"
    }
}
