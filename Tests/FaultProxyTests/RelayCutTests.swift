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

    @Test(arguments: [true, false])
    func thatCutsSeeNothingIsToldOnceForEachReasonAndSetOfCuts(isCutThereFirst: Bool) async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            let cuts = [try Self.cut("lost-commit")]
            if isCutThereFirst { relay.relay.setCuts(cuts) }
            // The start of a TLS handshake.
            let hello: [UInt8] = [0x16, 3, 1, 0, 5, 1]
            let clients = try (0..<3).map { _ in
                let client = try TestSocket.connect(toPort: relay.port)
                client.write(hello)
                #expect(try client.read(exactly: hello.count) == hello)
                return client
            }
            relay.relay.setCuts(cuts)
            for client in clients {
                client.write(hello)
                #expect(try client.read(exactly: hello.count) == hello)
            }
            func told() -> [WireFacts.Phase] {
                relay.events.all.compactMap { if case .cutsAreBlind(_, let phase) = $0 { phase } else { nil } }
            }
            try eventually("it is told") { !told().isEmpty }
            for client in clients {
                client.write(hello)
                #expect(try client.read(exactly: hello.count) == hello)
            }
            let first: [WireFacts.Phase] = isCutThereFirst ? [.encrypted, .encrypted] : [.encrypted]
            #expect(told() == first)
            // Another reason is news.
            for _ in 0..<2 {
                let check = Array("GET / HTTP/1.1\r\n\r\n".utf8)
                let client = try TestSocket.connect(toPort: relay.port)
                client.write(check)
                #expect(try client.read(exactly: check.count) == check)
            }
            #expect(told() == first + [.unknownProtocol])
        }
        relay.stop()
        server.stop()
    }

    @Test func aConnectionThatCanBeReadIsNotCalledBlind() async throws {
        let server = try TestServer.echo()
        let relay = try RunningRelay.started(toPort: server.port)
        try await onThread {
            relay.relay.setCuts([try Self.cut("cancel-connection nth=2")])
            let cancel = Wire.packet(80_877_102, Wire.int32(1) + Wire.int32(2))
            let client = try TestSocket.connect(toPort: relay.port)
            client.write(cancel)
            #expect(try client.read(exactly: cancel.count) == cancel)
            #expect(!relay.events.all.contains { if case .cutsAreBlind = $0 { true } else { false } })
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
