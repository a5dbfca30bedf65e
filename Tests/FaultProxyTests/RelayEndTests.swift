import FaultProxy
import Synchronization
import Testing
import Threading

/// The end of chosen connections of a relay.
@Suite struct RelayEndTests {
    /// Serves sessions of backends 1, 2, 3, … in the order of their startup packets, and echoes what follows.
    private static func server() throws -> TestServer {
        let backends = Atomic<Int>(0)
        let greet: @Sendable (TestSocket) -> Void = { client in
            guard case .bytes = client.read() else { return client.close() }
            let pid = backends.add(1, ordering: .relaxed).newValue
            client.write(
                Wire.authenticationOK + Wire.message("K", Wire.int32(pid) + Wire.int32(99)) + Wire.ready("I"))
            while case .bytes(let bytes) = client.read() { if client.write(bytes) != 0 { break } }
            client.close()
        }
        return try TestServer(serve: greet)
    }

    private static func connect(_ relay: RunningRelay) throws -> TestSocket {
        let client = try TestSocket.connect(toPort: relay.port)
        client.write(Wire.startup())
        _ = try client.read(
            exactly: (Wire.authenticationOK + Wire.message("K", Wire.int32(1) + Wire.int32(99))).count + 6)
        return client
    }

    @Test("Only the connections of the named backends end", arguments: [CloseManner.reset, .finish])
    func end(_ manner: CloseManner) async throws {
        let server = try Self.server()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let (first, second) = (try Self.connect(relay), try Self.connect(relay))
            #expect(relay.relay.end(backends: [1, 77], manner) == [1])
            #expect(first.read() == (manner == .reset ? .error(104) : .end))
            let query = Wire.query("select 1")
            second.write(query)
            #expect(try second.read(exactly: query.count) == query)
            #expect(relay.relay.end(backends: [1], manner) == [])
            try eventually("it is told") { relay.events.reasons == [.ended(manner)] }
        }
        relay.stop()
        server.stop()
    }
}
