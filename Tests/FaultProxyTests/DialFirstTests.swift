import FaultProxy
import Glibc
import Testing
import Threading

/// A relay that dials before it accepts.
@Suite struct DialFirstTests {
    private func canConnect(_ port: UInt16) -> Bool {
        let socket = TestSocket.make()
        defer { socket.close() }
        return TestSocket.withLoopback(port) { connect(socket.descriptor, $0, $1) } == 0
    }

    private func canConnect(_ path: String) -> Bool {
        let socket = TestSocket.make(AF_UNIX)
        defer { socket.close() }
        return TestSocket.withUnixAddress(path) { connect(socket.descriptor, $0, $1) } == 0
    }

    /// A Unix socket as the server: nobody else takes its address while it is dead.
    private func withServers(
        listen address: @escaping @Sendable (_ folder: String) -> String,
        _ body: @escaping @Sendable (_ relay: RunningRelay, _ start: @Sendable () throws -> TestServer) throws -> Void
    ) async throws {
        try await withSocketPath { path async throws in
            let relay = try RunningRelay(to: path, listen: address(path)) { $0.dialsFirst = true }
            try await onThread {
                try body(relay) {
                    unlink(path)
                    return try TestServer.echo(unixPath: path)
                }
            }
            relay.stop()
            #expect(relay.statistics.refused == 0)
        }
    }

    @Test("A server that is dead, comes, goes, and comes back: refused, served, refused, served at the same address")
    func deadServerLooksDead() async throws {
        try await withServers(listen: { _ in "127.0.0.1:0" }) { relay, start in
            for _ in 0..<10 { #expect(!canConnect(relay.port)) }
            #expect(relay.statistics.accepted == 0)
            for round in 1...2 {
                let server = try start()
                try eventually("the relay listens") { canConnect(relay.port) }
                // Each client has a connection of its own, though the first ones said nothing.
                let clients = try (0..<5).map { _ in try TestSocket.connect(toPort: relay.port) }
                for (number, client) in clients.enumerated() {
                    client.write([UInt8(number)])
                    #expect(try client.read(exactly: 1) == [UInt8(number)], "round \(round)")
                }
                server.stop()
                try eventually("the relay refuses") { !canConnect(relay.port) }
            }
        }
    }

    @Test("The same on a Unix socket, whose file is there while the server is")
    func unixSocket() async throws {
        try await withServers(listen: { "\($0).relay" }) { relay, start in
            for _ in 1...2 {
                #expect(!canConnect(relay.address))
                let server = try start()
                try eventually("the relay listens") { canConnect(relay.address) }
                server.stop()
                try eventually("the relay refuses") { !canConnect(relay.address) }
            }
        }
    }

    @Test func livingServerServesTheFirstClient() async throws {
        let server = try TestServer.echo()
        for _ in 0..<20 {
            let relay = try RunningRelay.started(toPort: server.port) { $0.dialsFirst = true }
            #expect(canConnect(relay.port))
            relay.stop()
        }
        server.stop()
    }
}
