import HostSystem

/// Counts open descriptors of this process, or of another one. Stateless; about 0.1 ms for 200.
package enum DescriptorProbe {
    /// Every open descriptor of any kind.
    ///
    /// - Parameter pid: `nil`: this process.
    /// - Returns: `nil` when /proc cannot be read, or there is no such process.
    package static func openDescriptors(of pid: Int32? = nil) -> Int? {
        OpenDescriptors.links(of: pid.map { "\($0)" } ?? "self")?.count
    }

    /// Descriptors of files whose path begins with `prefix`: for a SQLite database its file, `-wal` and `-shm`, also when
    /// they were removed. Symbolic links in the folder of `prefix` are resolved, as the kernel does.
    ///
    /// - Returns: `nil` when /proc cannot be read.
    package static func openDescriptors(ofPathsBeginningWith prefix: String) -> Int? {
        guard let links = OpenDescriptors.links() else { return nil }
        let resolved = resolve(prefix)
        return links.count { $0.hasPrefix(resolved) }
    }

    private static func resolve(_ prefix: String) -> String {
        guard let slash = prefix.lastIndex(of: "/"), let folder = SmallFile.realPath(String(prefix[...slash])) else {
            return prefix
        }
        return (folder == "/" ? "" : folder) + prefix[slash...]
    }
}
