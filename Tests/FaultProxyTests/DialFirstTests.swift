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

    @Test("A server that is dead, comes, and goes: its clients are refused, served, and refused again")
    func deadServerLooksDead() async throws {
        let holder = TestSocket.make()
        try #require(TestSocket.withLoopback(0) { bind(holder.descriptor, $0, $1) } == 0)
        let relay = try RunningRelay.started(toPort: holder.localPort) { $0.dialsFirst = true }
        try await onThread {
            for _ in 0..<10 { #expect(!canConnect(relay.port)) }
            #expect(relay.statistics.accepted == 0)
            try #require(listen(holder.descriptor, 8) == 0)
            try eventually("the relay listens") { canConnect(relay.port) }
            // Each client has a connection of its own, though the first ones said nothing.
            let clients = try (0..<5).map { _ in try TestSocket.connect(toPort: relay.port) }
            for (number, client) in clients.enumerated() { client.write([UInt8(number)]) }
            var seen: Set<UInt8> = []
            var served: [TestSocket] = []
            while seen.count < clients.count {
                let next = try #require(holder.accept())
                if case .bytes(let bytes) = next.read() { seen.formUnion(bytes) }
                served.append(next)
            }
            holder.close()
            for client in served { client.close() }
            try eventually("the relay refuses") { !canConnect(relay.port) }
        }
        relay.stop()
        #expect(relay.statistics.refused == 0)
    }
}
