import Testing
import Threading

@testable import FaultProxy

@Suite struct SlowCloseStageTests {
    @Test func bytesPassAndTheEndWaits() throws {
        var rig = ToxicRig(try ActiveToxic("slow_close=200ms"))
        rig.send("a")
        rig.end()
        rig.pass(milliseconds: 500)
        #expect(rig.left == [.bytes("a", at: 0), .end(at: 200)])
    }

    @Test func removalPassesAHeldEnd() throws {
        var rig = ToxicRig(try ActiveToxic("slow_close=1h"))
        rig.end()
        rig.pass(milliseconds: 5)
        rig.remove(1)
        #expect(rig.left == [.end(at: 5)])
    }

    @Test func aChangeHoldsForAHeldEnd() throws {
        var rig = ToxicRig(try ActiveToxic("slow_close=1h"))
        rig.end()
        rig.pass(milliseconds: 5)
        try rig.change(1, "slow_close=6ms")
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.end(at: 6)])
    }

    @Test func withoutDelayTheEndPassesAtOnce() throws {
        var rig = ToxicRig(try ActiveToxic("slow_close=0"))
        rig.end()
        #expect(rig.left == [.end(at: 0)])
    }
}

@Suite struct TimeoutStageTests {
    @Test func itIsAnIdleTimerThatSwallows() throws {
        let toxic = try ActiveToxic("timeout=100ms")
        var rig = ToxicRig(toxic)
        rig.pass(milliseconds: 80)
        rig.send("abc")
        rig.pass(milliseconds: 80)
        rig.send("de")
        rig.pass(milliseconds: 1_000)
        #expect(rig.left == [.close(.finish, at: 260)])
        #expect(toxic.record.snapshot.swallowedBytes == 5)
        #expect(toxic.record.snapshot.closed == 1)
    }

    @Test func zeroNeverCloses() throws {
        var rig = ToxicRig(try ActiveToxic("timeout=0"))
        rig.send("abc")
        rig.pass(milliseconds: 1e9)
        #expect(rig.left == [])
    }

    @Test func removalClosesOnlyAConnectionThatLostBytes() throws {
        var untouched = ToxicRig(try ActiveToxic("timeout=0"))
        untouched.remove(1)
        untouched.send("a")
        #expect(untouched.left == [.bytes("a", at: 0)])
        let toxic = try ActiveToxic("timeout=0")
        var torn = ToxicRig(toxic)
        torn.send("a")
        torn.remove(1)
        torn.send("b")
        #expect(torn.left == [.close(.finish, at: 0)])
        #expect(toxic.record.snapshot.closed == 1)
    }

    @Test func theEndPassesAndTakesTheConnectionAlongBehindAGap() throws {
        var whole = ToxicRig(try ActiveToxic("timeout=1s"))
        whole.end()
        #expect(whole.left == [.end(at: 0)])
        var torn = ToxicRig(try ActiveToxic("timeout=1s"))
        torn.send("a")
        torn.end()
        torn.pass(milliseconds: 5_000)
        #expect(torn.left == [.close(.finish, at: 0)])
    }

    @Test func aChangeStartsTheTimerAgain() throws {
        var rig = ToxicRig(try ActiveToxic("timeout=100ms"))
        rig.pass(milliseconds: 90)
        try rig.change(1, "timeout=50ms")
        rig.pass(milliseconds: 1_000)
        #expect(rig.left == [.close(.finish, at: 140)])
    }
}

@Suite struct ResetPeerStageTests {
    @Test func itResetsSoLongAfterTheFirstChunkAlsoOnAnOldConnection() throws {
        let toxic = try ActiveToxic("reset_peer=50ms")
        var rig = ToxicRig()
        rig.send("old")
        rig.add(toxic)
        rig.pass(milliseconds: 500)
        rig.send("ab")
        rig.pass(milliseconds: 30)
        rig.send("c")
        rig.pass(milliseconds: 500)
        #expect(rig.left == [.bytes("old", at: 0), .close(.reset, at: 550)])
        #expect(toxic.record.snapshot.swallowedBytes == 3)
        #expect(toxic.record.snapshot.closed == 1)
    }

    @Test func zeroResetsWithTheFirstByteOrTheEnd() throws {
        var byte = ToxicRig(try ActiveToxic("reset_peer=0"))
        byte.send("a")
        #expect(byte.left == [.close(.reset, at: 0)])
        var end = ToxicRig(try ActiveToxic("reset_peer=0"))
        end.end()
        #expect(end.left == [.close(.reset, at: 0)])
    }

    @Test func removalInTimeLosesNothing() throws {
        var rig = ToxicRig(try ActiveToxic("reset_peer=1s"))
        rig.send("a")
        rig.end()
        rig.remove(1)
        #expect(rig.left == [.bytes("a", at: 0), .end(at: 0)])
    }

    @Test func aShorterTimeHoldsForARunningOne() throws {
        var rig = ToxicRig(try ActiveToxic("reset_peer=1s"))
        rig.send("a")
        rig.pass(milliseconds: 100)
        try rig.change(1, "reset_peer=50ms")
        #expect(rig.left == [.close(.reset, at: 100)])
    }
}

@Suite struct ResetStageTests {
    @Test("It resets at once, in any stream, whatever stream it was added to", arguments: ProxyStream.allCases)
    func open(stream: ProxyStream) throws {
        let toxic = try ActiveToxic("reset@downstream")
        var rig = ToxicRig(stream: stream)
        rig.send("a")
        rig.add(toxic)
        #expect(rig.left == [.bytes("a", at: 0), .close(.reset, at: 0)])
        #expect(toxic.record.snapshot.closed == 1)
        #expect(toxic.record.snapshot.connections == (stream == .upstream ? 1 : 0))
    }

    @Test func aNewConnectionIsResetToo() throws {
        #expect(ToxicRig(try ActiveToxic("reset")).left == [.close(.reset, at: 0)])
    }
}

@Suite struct BlackholeStageTests {
    @Test func itSwallowsEverythingAndNeverCloses() throws {
        let toxic = try ActiveToxic("blackhole")
        var rig = ToxicRig(toxic)
        rig.send("abc")
        rig.end()
        rig.pass(milliseconds: 1e9)
        #expect(rig.left == [])
        #expect(toxic.record.snapshot.swallowedBytes == 3)
        rig.remove(1)
        #expect(rig.left == [.close(.reset, at: 1e9)])
    }

    @Test func removalResetsAfterASwallowedEnd() throws {
        var rig = ToxicRig(try ActiveToxic("blackhole"))
        rig.end()
        rig.remove(1)
        #expect(rig.left == [.close(.reset, at: 0)])
    }

    @Test func removalLeavesAnUntouchedConnectionAlone() throws {
        var rig = ToxicRig(try ActiveToxic("blackhole"))
        rig.remove(1)
        rig.send("a")
        rig.end()
        #expect(rig.left == [.bytes("a", at: 0), .end(at: 0)])
    }

    @Test func theOtherStreamIsNotAffected() throws {
        let rig = ToxicRig(try ActiveToxic("blackhole@upstream"))
        #expect(rig.chain.isEmpty)
    }
}

@Suite struct HalfOpenStageTests {
    /// A connection that was last in use `idle` milliseconds ago when the toxic comes.
    private func rig(_ words: String, idle: Double, stream: ProxyStream = .upstream) throws -> ToxicRig {
        var rig = ToxicRig(stream: stream)
        rig.send("a")
        rig.pass(milliseconds: idle)
        rig.add(try ActiveToxic(words))
        return rig
    }

    @Test("An idle connection is silently dead in both streams", arguments: ProxyStream.allCases)
    func silent(stream: ProxyStream) throws {
        var rig = try rig("half_open=100ms", idle: 100, stream: stream)
        rig.send("b")
        rig.end()
        rig.pass(milliseconds: 1e9)
        #expect(rig.left == [.bytes("a", at: 0)])
        rig.remove(1)
        #expect(rig.left == [.bytes("a", at: 0), .close(.reset, at: 1e9 + 100)])
    }

    @Test func aConnectionInUseIsNotAffectedAndNeitherIsANewOne() throws {
        var used = try rig("half_open=100ms", idle: 99)
        #expect(used.chain.isEmpty)
        // Decided once, when the toxic came.
        used.pass(milliseconds: 1_000)
        try used.change(1, "half_open=0")
        used.add(try ActiveToxic("noop", id: 2))
        #expect(used.chain.isEmpty)
        used.send("b")
        #expect(used.bytes == Array("ab".utf8))
        let new = ToxicRig(try ActiveToxic("half_open=0"), stream: .upstream)
        #expect(new.chain.isEmpty)
    }

    @Test func theClientIsAnsweredWithAResetAndTheServerIsNot() throws {
        var client = try rig("half_open:idle_ms=0,answer=reset", idle: 0)
        client.send("b")
        #expect(client.left.last == .close(.reset, at: 0))
        var server = try rig("half_open:idle_ms=0,answer=reset", idle: 0, stream: .downstream)
        server.send("b")
        #expect(server.left == [.bytes("a", at: 0)])
    }

    @Test func removalRevivesAConnectionThatLostNothing() throws {
        var rig = try rig("half_open=0", idle: 0)
        rig.remove(1)
        rig.send("b")
        #expect(rig.bytes == Array("ab".utf8))
    }
}
