import Glibc
import HostSystem
import Threading

/// Whether `ss -K` closes a socket: tried on a connection of this process with itself. Made for a throw-away network.
package enum SocketKillTrial {
    /// The hidden command of the rig that does it.
    package static let command = "__socket-kill"

    /// - Returns: exit status 0 when it did; 127 without the program; 1 otherwise, with the reason on standard error.
    package static func main() -> Int32 {
        guard let path = findProgram("ss") else { return complain("the program ss is not on this machine", 127) }
        guard let ends = connection() else { return complain("no connection on loopback (errno \(errno))", 1) }
        defer { for end in [ends.listener, ends.client, ends.server] { close(end) } }
        let arguments = ["-K", "-H", "-t", "-n", "dport = :\(ends.port)"]
        do {
            let result = try ProgramCall(path: path, arguments: arguments, timeout: .seconds(10)).runBlocking()
            guard result.succeeded else { return complain(result.standardError, 1) }
        } catch {
            return complain("\(error)", 1)
        }
        var byte: UInt8 = 0
        // The kernel ends a socket that was killed with ECONNABORTED.
        guard recv(ends.client, &byte, 1, Int32(MSG_DONTWAIT)) < 0, errno == ECONNABORTED else {
            return complain("ss -K closed nothing", 1)
        }
        return 0
    }

    private static func complain(_ text: String, _ code: Int32) -> Int32 {
        try? SmallFile.writeAll(Array("\(text)\n".utf8), to: STDERR_FILENO, path: "standard error")
        return code
    }

    private static func connection() -> (listener: Int32, client: Int32, server: Int32, port: UInt16)? {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                guard bind(listener, raw, length) == 0, listen(listener, 1) == 0,
                    getsockname(listener, raw, &length) == 0
                else { return nil }
                let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
                guard connect(client, raw, length) == 0 else { return nil }
                let server = accept(listener, nil, nil)
                return server < 0 ? nil : (listener, client, server, UInt16(bigEndian: pointer.pointee.sin_port))
            }
        }
    }
}
