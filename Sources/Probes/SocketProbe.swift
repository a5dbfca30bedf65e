import HostSystem

/// Counts this process's own TCP connections to a port. Cheap enough for a few times a second (about 10 ms with 200
/// sockets); stateless.
package enum SocketProbe {
    /// ESTABLISHED connections whose other end has this port. A connection counts for the side that opened it: what a
    /// relay in this process accepted has the port as its *local* one.
    ///
    /// - Returns: `nil` when /proc cannot be read.
    package static func establishedSockets(toRemotePort port: UInt16) -> Int? {
        guard let links = OpenDescriptors.links(), let table = TCPSocket.all() else { return nil }
        return count(table, own: OpenDescriptors.socketInodes(links), remotePort: port)
    }

    /// The same for another process.
    package static func establishedSockets(toRemotePort port: UInt16, of pid: Int32) -> Int? {
        guard let links = OpenDescriptors.links(of: "\(pid)"), let table = TCPSocket.all(ofNamespaceOf: "\(pid)") else {
            return nil
        }
        return count(table, own: OpenDescriptors.socketInodes(links), remotePort: port)
    }

    static func count(_ table: [TCPSocket], own inodes: Set<UInt64>, remotePort: UInt16) -> Int {
        table.count {
            $0.state == TCPSocket.established && $0.remotePort == remotePort && inodes.contains($0.inode)
        }
    }
}
