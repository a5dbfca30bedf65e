import Glibc
import HostSystem
package import RigModel

/// Choosing the TCP port of a private server.
package enum ServerPort {
    /// Below the usual ephemeral range (32768…): a port inside it may be in use by an outgoing connection when the
    /// server comes back.
    package static let range: ClosedRange<UInt16> = 20000...32000

    /// Every port of the range that the kernel does not give to outgoing connections, in random order. Pure.
    package static func candidates(ephemeral: ClosedRange<UInt16>?, using random: inout SeededGenerator) -> [UInt16] {
        range.filter { ephemeral?.contains($0) != true }.shuffled(using: &random)
    }

    /// Reads `net.ipv4.ip_local_port_range`: two numbers. Pure.
    package static func ephemeralRange(_ text: String) -> ClosedRange<UInt16>? {
        let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
        return numbers.count == 2 && numbers[0] <= numbers[1] ? numbers[0]...numbers[1] : nil
    }

    /// A port that nobody listens on now.
    ///
    /// - Parameter seed: starts the search; different in every process, so that two rigs do not race for one port.
    package static func choose(seed: UInt64) throws(ServerError) -> UInt16 {
        let ephemeral = SmallFile.text("/proc/sys/net/ipv4/ip_local_port_range").flatMap(ephemeralRange)
        var random = SeededGenerator(seed: seed)
        guard let port = candidates(ephemeral: ephemeral, using: &random).first(where: isFree) else {
            throw .noFreePort(range: range)
        }
        return port
    }

    /// Whether a server could listen on 127.0.0.1 there: it binds as PostgreSQL does (SO_REUSEADDR, so that connections
    /// in TIME_WAIT do not count).
    package static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        } && listen(descriptor, 1) == 0
    }

    /// The port is held by this very process and not by another one. True as well where /proc does not tell.
    static func isHeld(_ port: UInt16, by pid: Int32) -> Bool {
        guard let links = OpenDescriptors.links(of: "\(pid)"), let table = TCPSocket.all(ofNamespaceOf: "\(pid)")
        else { return true }
        let own = OpenDescriptors.socketInodes(links)
        return table.contains {
            $0.state == TCPSocket.listening && $0.localPort == port && own.contains($0.inode)
        }
    }

    /// ``choose(seed:)`` with a seed that no other process has.
    static func choose() throws(ServerError) -> UInt16 {
        var generator = SystemRandomNumberGenerator()
        return try choose(seed: generator.next())
    }
}
