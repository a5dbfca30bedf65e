/// Which hosts are this machine.
package enum LoopbackAddress {
    /// `localhost`, 127.0.0.0/8, ::1, and folders of Unix sockets.
    package static func contains(_ host: String) -> Bool {
        if host.hasPrefix("/") || host.hasPrefix("@") || host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
