import HostSystem

/// How busy the machine is.
package enum MachineProbe {
    /// How many threads on the machine run or wait for a processor now, from /proc/loadavg (its fourth field). More than there are
    /// processors: somebody waits, and what is measured meanwhile is slower through nobody's fault.
    ///
    /// - Returns: `nil` when /proc cannot be read.
    package static func runnableThreads() -> Int? { runnableThreads(SmallFile.text("/proc/loadavg") ?? "") }

    static func runnableThreads(_ text: String) -> Int? {
        let fields = text.split(separator: " ")
        return fields.count > 3 ? fields[3].split(separator: "/").first.flatMap { Int($0) } : nil
    }
}
