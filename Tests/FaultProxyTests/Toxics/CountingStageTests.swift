import RigModel
import Testing
import Threading

@testable import FaultProxy

@Suite struct LimitDataStageTests {
    @Test func exactlySoManyBytesPass() throws {
        let toxic = try ActiveToxic("limit_data=5")
        var rig = ToxicRig(toxic)
        rig.send("abc")
        rig.send("defg")
        rig.send("h")
        #expect(rig.left == [.bytes("abc", at: 0), .bytes("de", at: 0), .close(.finish, at: 0)])
        #expect(toxic.record.snapshot.swallowedBytes == 2)
        #expect(toxic.record.snapshot.closed == 1)
    }

    @Test func itClosesWithTheLastByteAndNotWithTheNext() throws {
        var rig = ToxicRig(try ActiveToxic("limit_data=3"))
        rig.send("abc")
        #expect(rig.left == [.bytes("abc", at: 0), .close(.finish, at: 0)])
    }

    @Test func zeroClosesWithTheFirstByte() throws {
        var rig = ToxicRig(try ActiveToxic("limit_data=0"))
        #expect(rig.left == [])
        rig.send("a")
        #expect(rig.left == [.close(.finish, at: 0)])
    }

    @Test func theCountSurvivesAChange() throws {
        var rig = ToxicRig(try ActiveToxic("limit_data=10"))
        rig.send("abc")
        try rig.change(1, "limit_data=5")
        rig.send("defg")
        #expect(rig.bytes == Array("abcde".utf8))
        #expect(rig.left.last == .close(.finish, at: 0))
    }

    @Test func whatPassedIsStillHeldByLaterToxicsAndGoesOnBeforeTheClose() throws {
        var rig = ToxicRig(try ActiveToxic("limit_data=2"), try ActiveToxic("latency=30ms", id: 2))
        rig.send("abc")
        rig.send("d")
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.bytes("ab", at: 30), .close(.finish, at: 30)])
    }
}

@Suite struct CutAfterStageTests {
    @Test func time() throws {
        var rig = ToxicRig(try ActiveToxic("cut_after=1s"))
        rig.pass(milliseconds: 500)
        rig.send("a")
        rig.pass(milliseconds: 900)
        #expect(rig.left == [.bytes("a", at: 500), .close(.reset, at: 1_000)])
    }

    @Test func bytesThatComeAfterTheTimeDoNotPassAlsoWhenItsWakingIsLate() throws {
        let toxic = try ActiveToxic("cut_after=10ms")
        var chain = ToxicChain()
        var effects: [StageEffect] = []
        chain.follow(
            [toxic],
            ChainContext(
                seed: 1, proxy: "p", connection: 0, stream: .downstream, hasReceived: false,
                lastBytesAt: at(milliseconds: 0), now: at(milliseconds: 0)), into: &effects)
        chain.receive([1, 2], now: at(milliseconds: 11), into: &effects)
        #expect(effects == [.close(.reset)])
        #expect(toxic.record.snapshot.swallowedBytes == 2)
    }

    @Test func timeOfAnOpenConnectionBeginsWithTheToxic() throws {
        var rig = ToxicRig()
        rig.pass(milliseconds: 5_000)
        rig.add(try ActiveToxic("cut_after:after_ms=1s,manner=finish"))
        rig.pass(milliseconds: 5_000)
        #expect(rig.left == [.close(.finish, at: 6_000)])
    }

    @Test func bytesPassExactly() throws {
        let toxic = try ActiveToxic("cut_after:bytes=4,after_ms=1h,messages=100,manner=finish")
        var rig = ToxicRig(toxic)
        rig.send("abc")
        rig.send("def")
        rig.send("g")
        #expect(rig.left == [.bytes("abc", at: 0), .bytes("d", at: 0), .close(.finish, at: 0)])
        #expect(toxic.record.snapshot.swallowedBytes == 2)
    }

    @Test func withoutALimitNothingHappensUntilOneIsSet() throws {
        var rig = ToxicRig(try ActiveToxic("cut_after"))
        rig.send("a")
        rig.pass(milliseconds: 1e9)
        #expect(rig.left == [.bytes("a", at: 0)])
        try rig.change(1, "cut_after:bytes=1")
        #expect(rig.left == [.bytes("a", at: 0), .close(.reset, at: 1e9)])
    }

    @Test("Cuts behind exactly the named message, in whatever pieces the bytes come", arguments: 1...40)
    func messages(pieceSize: Int) throws {
        let stream = [
            ToxicWire.sslRequest, ToxicWire.startup, ToxicWire.typed("p", "secret"), ToxicWire.typed("Q", "select 1"),
            ToxicWire.typed("Q", "select 2"), ToxicWire.typed("X"),
        ]
        for count in 1...stream.count {
            var rig = ToxicRig(try ActiveToxic("cut_after@upstream:messages=\(count)"), stream: .upstream)
            let all = stream.flatMap { $0 }
            for start in Swift.stride(from: 0, to: all.count, by: pieceSize) {
                rig.send(Array(all[start..<min(start + pieceSize, all.count)]))
            }
            #expect(rig.bytes == stream[..<count].flatMap { $0 })
            #expect(rig.left.last == .close(.reset, at: 0))
        }
    }

    @Test func downstreamTheAnswerToANegotiationIsAMessage() throws {
        var rig = ToxicRig(try ActiveToxic("cut_after:messages=3"))
        rig.send(Array("N".utf8) + ToxicWire.typed("R", "abcd") + ToxicWire.typed("S", "a") + ToxicWire.typed("Z", "I"))
        #expect(rig.bytes == Array("N".utf8) + ToxicWire.typed("R", "abcd") + ToxicWire.typed("S", "a"))
    }

    @Test func onAnOpenConnectionTheNextByteBeginsATypedMessage() throws {
        var rig = ToxicRig(stream: .upstream)
        rig.send(ToxicWire.startup)
        rig.add(try ActiveToxic("cut_after@upstream:messages=2"))
        rig.send(ToxicWire.typed("Q", "1") + ToxicWire.typed("Q", "2") + ToxicWire.typed("Q", "3"))
        #expect(rig.bytes == ToxicWire.startup + ToxicWire.typed("Q", "1") + ToxicWire.typed("Q", "2"))
    }

    /// The toxic in front still holds the startup packet, so the new one sees it.
    @Test func whatAnEarlierToxicHoldsIsStillToCome() throws {
        var rig = ToxicRig(try ActiveToxic("latency@upstream=10ms"), stream: .upstream)
        rig.send(ToxicWire.startup + ToxicWire.typed("Q", "1"))
        rig.add(try ActiveToxic("cut_after@upstream:messages=1", id: 2))
        rig.pass(milliseconds: 10)
        #expect(rig.bytes == ToxicWire.startup)
        #expect(rig.left.last == .close(.reset, at: 10))
    }
}

@Suite struct MessageFramerTests {
    private func count(_ bytes: [UInt8], _ stream: ProxyStream, seesStart: Bool = true, pieces: Int = .max) -> Int {
        var framer = MessageFramer(stream, seesStart: seesStart)
        var messages = 0
        var start = 0
        while start < bytes.count {
            let end = start + min(pieces, bytes.count - start)
            while start < end, let length = framer.lengthToMessageEnd(in: bytes[start..<end]) {
                start += length
                messages += 1
            }
            start = end
        }
        return messages
    }

    @Test func cancelRequestIsOneMessage() {
        #expect(count(ToxicWire.cancelRequest, .upstream) == 1)
        #expect(count(ToxicWire.cancelRequest, .upstream, pieces: 1) == 1)
    }

    @Test func bothNegotiationsThenStartup() {
        #expect(
            count(
                ToxicWire.gssRequest + ToxicWire.sslRequest + ToxicWire.startup + ToxicWire.typed("Q"), .upstream,
                pieces: 3) == 4)
    }

    @Test("Bytes that are no messages do not count and do not trap", arguments: 0..<200)
    func garbage(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let bytes = (0..<5_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        for stream in ProxyStream.allCases {
            for seesStart in [true, false] {
                _ = count(bytes, stream, seesStart: seesStart, pieces: Int.random(in: 1...700, using: &generator))
            }
        }
    }

    @Test func encryptedBytesDoNotCount() {
        let clientHello: [UInt8] = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01] + [UInt8](repeating: 0x51, count: 600)
        #expect(count(ToxicWire.sslRequest + clientHello + clientHello, .upstream) == 1)
        #expect(count(clientHello, .upstream) == 0)
        #expect(count(Array("S".utf8) + clientHello, .downstream) == 1)
    }

    @Test func aStreamThatWasNoPostgreSQLFromTheStartStaysSo() {
        var framer = MessageFramer(.upstream, seesStart: true)
        let clientHello: [UInt8] = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01]
        #expect(framer.lengthToMessageEnd(in: clientHello[...]) == nil)
        #expect(framer.lengthToMessageEnd(in: ToxicWire.typed("Q", "x")[...]) == nil)
    }

    @Test("Lengths that cannot be are no messages", arguments: [0, 3, 0x4000_0000, 0x7FFF_FFFF, 0xFFFF_FFFF])
    func lengths(length: UInt32) {
        let head = [UInt8(ascii: "Q")] + ToxicWire.bigEndian(length)
        #expect(count(head + ToxicWire.typed("Q", "x"), .upstream, seesStart: false) == 0)
        #expect(count(ToxicWire.bigEndian(length) + ToxicWire.startup, .upstream) == 0)
    }

    @Test func aStreamJoinedInTheMiddleOfAMessageIsFoundAgainWithTheNextRead() {
        var framer = MessageFramer(.downstream, seesStart: false)
        let tail: [UInt8] = [0, 0, 0, 9, 9, 9]
        #expect(framer.lengthToMessageEnd(in: tail[...]) == nil)
        let next = ToxicWire.typed("Z", "I")
        #expect(framer.lengthToMessageEnd(in: next[...]) == next.count)
    }
}

/// PostgreSQL's messages, as bytes.
enum ToxicWire {
    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    static func typed(_ type: Character, _ body: String = "") -> [UInt8] {
        Array(String(type).utf8) + bigEndian(UInt32(body.utf8.count + 4)) + Array(body.utf8)
    }

    private static func untyped(_ code: UInt32, _ body: [UInt8] = []) -> [UInt8] {
        bigEndian(UInt32(body.count + 8)) + bigEndian(code) + body
    }

    static let startup = untyped(196_608, Array("user\0joe\0\0".utf8))
    static let sslRequest = untyped(80_877_103)
    static let gssRequest = untyped(80_877_104)
    static let cancelRequest = untyped(80_877_102, bigEndian(4_711) + bigEndian(815))
}
