/// What the descriptors of a process point to.
package enum OpenDescriptors {
    /// The link of every open descriptor, for example `/tmp/x.db`, `socket:[4711]`; `nil` when they cannot be listed
    /// (no such process, or another user's).
    ///
    /// For this process itself the descriptor that the listing uses is left out.
    package static func links(of process: String = "self") -> [String]? {
        let folder = "/proc/\(process)/fd"
        // The descriptor of the listing is closed when its link is read, so it drops out by itself; one that another
        // thread opens at the same number in between is a real one.
        return SmallFile.names(in: folder)?.compactMap { SmallFile.linkTarget("\(folder)/\($0)") }
    }

    /// The inodes of the sockets among these links.
    package static func socketInodes(_ links: [String]) -> Set<UInt64> {
        Set(
            links.compactMap { link in
                link.hasPrefix("socket:[") ? UInt64(link.dropFirst("socket:[".count).dropLast()) : nil
            })
    }
}
