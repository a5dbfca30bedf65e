import FaultProxy
import Testing

/// What cut points do to real connections.
@Suite struct RelayCutTests {
    private static func cut(_ words: String) throws -> ActiveCut {
        ActiveCut(name: "cut", rule: try CutRule(words: words), record: CutRecord())
    }

    @Test(arguments: ["latency@downstream:latency=50ms", "slicer@downstream:average_size=3,delay=1ms", nil])
    func anErrorThatEndsTheConnectionArrivesWhateverHoldsTheStream(toxic: String?) async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            if let toxic { _ = try relay.set(toxic) }
            let cut = try Self.cut("before StartupMessage do error 53300 text=full")
            relay.relay.setCuts([cut])
            let client = try TestSocket.connect(toPort: relay.port)
            client.write(Wire.startup())
            let error = Wire.message(
                "E", ["SFATAL", "VFATAL", "C53300", "Mfull", "Rchaosrig_cut_point"].flatMap(Wire.text) + [0])
            #expect(try client.read(exactly: error.count) == error)
            #expect(client.read() == .end)
            try eventually("it is told") { relay.events.reasons == [.cut(.finish)] }
        }
        relay.stop()
        server.stop()
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
