import FaultProxy
import Testing

@Suite struct WireReaderTests {
    private func facts(_ dialogue: WireDialogue) -> WireFacts {
        var inspector = WireInspector()
        for part in dialogue.parts { inspector.observe(part.bytes, part.stream) }
        return inspector.facts
    }

    private func named(_ name: String) throws -> WireDialogue {
        try #require(Wire.dialogues.first { $0.name.hasPrefix(name) })
    }

    @Test func simpleQueriesTellUserTagErrorAndTransaction() throws {
        let facts = facts(try named("simple queries"))
        var wanted = WireFacts()
        wanted.phase = .session
        wanted.user = "ann"
        wanted.database = "ann"
        wanted.applicationName = "shop"
        wanted.backendPID = 4711
        wanted.transaction = .idle
        wanted.lastCommandTag = "ROLLBACK"
        wanted.lastSQLState = "22012"
        wanted.messagesUpstream = 7
        wanted.messagesDownstream = 4 + 4 + 2 + 2 + 2
        #expect(facts == wanted)
    }

    @Test func statementsAreInFlightUpToTheirReadyForQuery() {
        var inspector = WireInspector()
        for part in Wire.greeting { inspector.observe(part.bytes, part.stream) }
        func inFlight(_ bytes: [UInt8], _ stream: ProxyStream) -> Int {
            inspector.observe(bytes, stream)
            return inspector.facts.statementsInFlight
        }
        #expect(inFlight(Wire.query("begin"), .upstream) == 1)
        #expect(inFlight(Wire.extended("", "a"), .upstream) == 2)
        #expect(inFlight(Wire.bind("", "") + Wire.execute("") + Wire.execute(""), .upstream) == 4)
        #expect(inFlight(Wire.complete("BEGIN"), .downstream) == 4)
        #expect(inFlight(Wire.ready("T"), .downstream) == 3)
        #expect(inFlight(Wire.complete("A") + Wire.ready("T"), .downstream) == 2)
        #expect(inFlight(Wire.sync, .upstream) == 2)
        #expect(inFlight(Wire.ready("T"), .downstream) == 0)
        #expect(inspector.facts.transaction == .inTransaction)
    }

    @Test func aCopyFromAnExecuteLeavesNothingInFlight() throws {
        let facts = facts(try named("copy in"))
        #expect(facts.statementsInFlight == 0)
        #expect(facts.applicationName == "bulk")
        #expect(facts.lastCommandTag == "COPY 1")
        var inspector = WireInspector()
        for part in try named("copy in").parts { inspector.observe(part.bytes, part.stream) }
        inspector.observe(Wire.query("select 1"), .upstream)
        #expect(inspector.facts.statementsInFlight == 1)
        inspector.observe(Wire.ready("I"), .downstream)
        #expect(inspector.facts.statementsInFlight == 0)
    }

    @Test(arguments: [
        ("a cancel", WireFacts.Phase.cancelRequest), ("SSL agreed", .encrypted), ("SSL without", .encrypted),
        ("another", .unknownProtocol), ("garbage", .unknownProtocol), ("an early error", .startup),
    ])
    func whatIsNoSessionIsToldAsWhatItIs(name: String, phase: WireFacts.Phase) throws {
        let facts = facts(try named(name))
        #expect(facts.phase == phase)
        #expect(facts.backendPID == (phase == .cancelRequest ? 4711 : name == "garbage" ? 4711 : nil))
        #expect(facts.lastSQLState == (phase == .startup ? "53300" : nil))
    }

    @Test func protocol32AndItsNegotiationAreASession() {
        var inspector = WireInspector()
        inspector.observe(Wire.startup(version: 196_610), .upstream)
        inspector.observe(Wire.message("v", Wire.int32(0) + Wire.int32(0)) + Wire.authenticationOK, .downstream)
        #expect(inspector.facts.phase == .authentication)
        inspector.observe(Wire.ready("I"), .downstream)
        #expect(inspector.facts.phase == .session)
    }

    @Test(arguments: [
        Wire.int32(7) + Wire.int32(196_608), Wire.int32(10_001) + Wire.int32(196_608), Wire.packet(131_072),
        Wire.packet(262_144), Wire.int32(-1) + Wire.int32(0), Wire.packet(80_877_103, [1]),
    ])
    func aStartupPacketThatCannotBeIsAnUnknownProtocol(packet: [UInt8]) {
        var inspector = WireInspector()
        inspector.observe(packet, .upstream)
        #expect(inspector.facts.phase == .unknownProtocol)
    }

    @Test(arguments: [ProxyStream.upstream, .downstream])
    func aMessageLengthThatCannotBeIsAnUnknownProtocol(stream: ProxyStream) {
        for length in [3, 0, -1, Int(Int32.min)] {
            var inspector = WireInspector()
            for part in Wire.greeting { inspector.observe(part.bytes, part.stream) }
            inspector.observe([UInt8(ascii: "d")] + Wire.int32(length), stream)
            #expect(inspector.facts.phase == .unknownProtocol, "length \(length)")
        }
    }

    @Test func aMessageOf2GiBIsWalkedOver() {
        var inspector = WireInspector()
        for part in Wire.greeting { inspector.observe(part.bytes, part.stream) }
        let before = inspector.facts.messagesDownstream
        inspector.observe([UInt8(ascii: "D")] + Wire.int32(Int(Int32.max)), .downstream)
        let block = [UInt8](repeating: UInt8(ascii: "Z"), count: 1 << 20)
        var left = Int(Int32.max) - 4
        block.withUnsafeBytes {
            while left > 0 {
                inspector.observe(UnsafeRawBufferPointer(rebasing: $0[..<min(left, $0.count)]), .downstream)
                left -= min(left, $0.count)
            }
        }
        #expect(inspector.facts.messagesDownstream == before + 1)
        inspector.observe(Wire.ready("T"), .downstream)
        #expect(inspector.facts.transaction == .inTransaction)
    }

    @Test func aLongTagIsCutOffAndALongApplicationNameToo() {
        var inspector = WireInspector()
        for part in Wire.greeting { inspector.observe(part.bytes, part.stream) }
        inspector.observe(Wire.complete(String(repeating: "x", count: 100)), .downstream)
        #expect(inspector.facts.lastCommandTag == String(repeating: "x", count: 64))
        inspector.observe(Wire.parameter("application_name", String(repeating: "y", count: 1000)), .downstream)
        #expect((inspector.facts.applicationName?.count ?? 1000) < 128)
    }

    @Test(arguments: Wire.dialogues)
    func everySplitTellsTheSame(dialogue: WireDialogue) { Self.checkSplits(dialogue) }

    /// At each byte of each part, and byte by byte.
    static func checkSplits(_ dialogue: WireDialogue) {
        var whole = WireInspector()
        for part in dialogue.parts { whole.observe(part.bytes, part.stream) }
        var single = WireInspector()
        for part in dialogue.parts { for byte in part.bytes { single.observe([byte], part.stream) } }
        #expect(single.facts == whole.facts)
        for (index, part) in dialogue.parts.enumerated() {
            var front = WireInspector()
            for other in dialogue.parts[..<index] { front.observe(other.bytes, other.stream) }
            for place in part.bytes.indices {
                var inspector = front
                inspector.observe(part.bytes[..<place], part.stream)
                inspector.observe(part.bytes[place...], part.stream)
                for other in dialogue.parts[(index + 1)...] { inspector.observe(other.bytes, other.stream) }
                if inspector.facts != whole.facts {
                    Issue.record("split of part \(index) at \(place): \(inspector.facts), not \(whole.facts)")
                    return
                }
            }
        }
    }
}
