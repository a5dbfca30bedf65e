import FaultProxy
import Testing

/// What cut points do to real connections.
@Suite struct RelayCutTests {
    private static func cut(_ words: String) throws -> ActiveCut {
        ActiveCut(name: "cut", rule: try CutRule(words: words), record: CutRecord())
    }

    @Test func removalReleasesWhatADelayHolds() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            relay.relay.setCuts([try Self.cut("before StartupMessage do delay 600s")])
            let client = try TestSocket.connect(toPort: relay.port)
            let packet = Wire.startup()
            client.write(packet)
            try eventually("the packet is held") { relay.statistics.upstreamReceived == packet.count }
            #expect(relay.statistics.upstreamSent == 0)
            relay.relay.setCuts([])
            #expect(try client.read(exactly: packet.count) == packet)
        }
        relay.stop()
        server.stop()
    }
}
