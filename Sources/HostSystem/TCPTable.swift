/// The TCP sockets of a network namespace, from /proc/PID/net/tcp and tcp6 (kernel: `Documentation/networking/proc_net_tcp.rst`).
package struct TCPSocket: Sendable, Equatable {
    /// The two states that the rig asks for (kernel: `include/net/tcp_states.h`).
    package static let established = 1
    package static let listening = 10

    package let localPort: UInt16
    package let remotePort: UInt16
    package let state: Int
    /// Ties the socket to a descriptor; 0 for one that no process holds any more.
    package let inode: UInt64

    /// - Returns: `nil` for the heading and for lines that are cut off.
    package init?(line: some StringProtocol) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count >= 10, let local = Self.port(fields[1]), let remote = Self.port(fields[2]),
            let state = Int(fields[3], radix: 16), let inode = UInt64(fields[9])
        else { return nil }
        localPort = local
        remotePort = remote
        self.state = state
        self.inode = inode
    }

    /// Every socket in the network namespace of a process, IPv4 and IPv6.
    ///
    /// - Returns: `nil` when neither table can be read.
    /// - Complexity: O(sockets of the namespace); about 7 ms for a few hundred.
    package static func all(ofNamespaceOf process: String = "self") -> [TCPSocket]? {
        let tables = ["tcp", "tcp6"].compactMap { SmallFile.text("/proc/\(process)/net/\($0)") }
        guard !tables.isEmpty else { return nil }
        return tables.flatMap { $0.split(separator: "\n").compactMap { TCPSocket(line: $0) } }
    }

    /// `0100007F:4E20` is 127.0.0.1:20000.
    private static func port(_ address: some StringProtocol) -> UInt16? {
        address.lastIndex(of: ":").flatMap { UInt16(address[address.index(after: $0)...], radix: 16) }
    }
}
