import Glibc
import HostSystem
import Probes
import Testing
import Threading

@Suite struct SocketProbeTests {
    @Test func ownConnectionsToThePortAreCounted() async throws {
        let server = try LoopbackServer()
        defer { server.close() }
        #expect(SocketProbe.establishedSockets(toRemotePort: server.port) == 0)
        var clients = try (0..<3).map { _ in try server.connect() }
        #expect(SocketProbe.establishedSockets(toRemotePort: server.port) == 3)
        // The accepted ends have the port as their own: they are not connections *to* it.
        let accepted = (0..<3).map { _ in accept(server.descriptor, nil, nil) }
        #expect(SocketProbe.establishedSockets(toRemotePort: server.port) == 3)

        Glibc.close(clients.removeLast())
        #expect(SocketProbe.establishedSockets(toRemotePort: server.port) == 2)
        // The peer has closed, this side has not: no longer established, though the descriptor is open.
        for descriptor in accepted { Glibc.close(descriptor) }
        let areGone = await onOwnThread("wait for ends") {
            Waiting.untilTrue(before: .now.advanced(by: .seconds(60))) {
                SocketProbe.establishedSockets(toRemotePort: server.port) == 0
            }
        }
        #expect(areGone)
        for descriptor in clients { Glibc.close(descriptor) }
    }

    @Test func connectionsOfOtherProcessesAreNotCounted() async throws {
        let server = try LoopbackServer()
        defer { server.close() }
        let bash = try #require(findProgram("bash"))
        let child = try ChildProcess(
            SpawnRequest(
                path: bash, arguments: ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(server.port); exec sleep 600"]))
        let accepted = await onOwnThread("accept") { accept(server.descriptor, nil, nil) }
        #expect(accepted >= 0)
        let isThere = try #require(TCPSocket.all()).contains {
            $0.remotePort == server.port && $0.state == TCPSocket.established
        }
        #expect(isThere)
        #expect(SocketProbe.establishedSockets(toRemotePort: server.port) == 0)
        Glibc.close(accepted)
        child.signalGroup(SIGKILL)
        #expect(await child.wait(within: .seconds(60)) == .signalled(SIGKILL))
    }
}

/// A listening socket on 127.0.0.1 with a port of the kernel's choice.
private struct LoopbackServer {
    let descriptor: Int32
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) | listen(descriptor, 16) | getsockname(descriptor, $0, &length)
            }
        }
        try #require(status == 0)
        port = UInt16(bigEndian: address.sin_port)
    }

    func connect() throws -> Int32 {
        let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(port: port)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(client, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(status == 0)
        return client
    }

    func close() { Glibc.close(descriptor) }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
