import RigModel
import Testing
import Threading

@testable import FaultProxy

@Suite struct ToxicChainTests {
    @Test func toxicsActInTheOrderOfTheList() throws {
        // Behind the limit nothing is held; in front of it the limit counts what has been held.
        var rig = ToxicRig(try ActiveToxic("latency=20ms"), try ActiveToxic("limit_data=1", id: 2))
        rig.send("ab")
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.bytes("a", at: 20), .close(.finish, at: 20)])
    }

    @Test func delaysAddUp() throws {
        var rig = ToxicRig(try ActiveToxic("latency=20ms"), try ActiveToxic("latency=30ms", id: 2))
        rig.send("a")
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.bytes("a", at: 50)])
    }

    @Test func whatARemovedToxicLetsGoFlowsThroughTheLaterOnes() throws {
        var rig = ToxicRig(try ActiveToxic("latency=1h"), try ActiveToxic("latency=30ms", id: 2))
        rig.send("a")
        rig.end()
        rig.pass(milliseconds: 10)
        rig.remove(1)
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.bytes("a", at: 40), .end(at: 40)])
    }

    @Test func allCanGoAtOnceAndNothingIsLost() throws {
        var rig = ToxicRig(
            try ActiveToxic("latency=1h"), try ActiveToxic("bandwidth=0", id: 2),
            try ActiveToxic("slow_close=1h", id: 3))
        rig.send("ab")
        rig.send("c")
        rig.end()
        rig.set([])
        #expect(rig.bytes == Array("abc".utf8))
        #expect(rig.left.last == .end(at: 0))
        #expect(rig.chain.isEmpty)
    }

    @Test func aNewToxicAffectsAnOpenConnectionAtOnceAndLeavesHeldBytesAlone() throws {
        let second = try ActiveToxic("latency=100ms", id: 2)
        var rig = ToxicRig(try ActiveToxic("latency=20ms"))
        rig.send("a")
        rig.add(second)
        rig.pass(milliseconds: 300)
        #expect(rig.left == [.bytes("a", at: 120)])
        #expect(second.record.snapshot.connections == 1)
    }

    @Test func aToxicKeepsItsStateWhenOthersComeAndGo() throws {
        var rig = ToxicRig(try ActiveToxic("limit_data=4"))
        rig.send("ab")
        rig.add(try ActiveToxic("latency=0", id: 2))
        rig.send("c")
        rig.remove(2)
        rig.send("def")
        #expect(rig.bytes == Array("abcd".utf8))
    }

    @Test func followingTheSameListChangesNothing() throws {
        let toxic = try ActiveToxic("latency=50ms")
        var rig = ToxicRig(toxic)
        rig.send("a")
        for _ in 0..<5 {
            rig.pass(milliseconds: 5)
            rig.set([toxic])
        }
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.bytes("a", at: 50)])
        #expect(toxic.record.snapshot.connections == 1)
    }

    @Test func anOrderlyCloseIsDelayedBySlowCloseBehindIt() throws {
        var rig = ToxicRig(try ActiveToxic("limit_data=1"), try ActiveToxic("slow_close=30ms", id: 2))
        rig.send("ab")
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.bytes("a", at: 0), .close(.finish, at: 30)])
    }

    @Test func whatComesAfterAnOrderlyCloseIsGoneAlsoWhenTheCutterIsRemoved() throws {
        var rig = ToxicRig(
            try ActiveToxic("latency=10ms"), try ActiveToxic("limit_data=1", id: 2),
            try ActiveToxic("slow_close=1h", id: 3))
        rig.send("a")
        rig.pass(milliseconds: 5)
        rig.send("b")
        rig.pass(milliseconds: 6)
        #expect(rig.bytes == Array("a".utf8))
        rig.remove(2)
        rig.send("c")
        rig.pass(milliseconds: 50)
        #expect(rig.bytes == Array("a".utf8))
        rig.remove(3)
        #expect(rig.left == [.bytes("a", at: 10), .close(.finish, at: 61)])
    }

    @Test func aResetLeavesAtOnceAndNothingBehindIt() throws {
        var rig = ToxicRig(try ActiveToxic("cut_after:bytes=1"), try ActiveToxic("latency=1h", id: 2))
        rig.send("ab")
        rig.send("c")
        rig.end()
        rig.pass(milliseconds: 1e8)
        rig.set([])
        #expect(rig.left == [.close(.reset, at: 0)])
        #expect(rig.chain.wakeAt == nil)
    }

    @Test func aDroppedChainHoldsNothingAndStaysSilent() throws {
        let toxic = try ActiveToxic("latency=5ms")
        let context = ChainContext(
            seed: 1, proxy: "p", connection: 0, stream: .upstream, hasReceived: true, lastBytesAt: at(milliseconds: 0),
            now: at(milliseconds: 0))
        var effects: [StageEffect] = []
        var chain = ToxicChain()
        chain.follow([], context, into: &effects)
        chain.follow([try ActiveToxic("latency@upstream=5ms")], context, into: &effects)
        chain.receive([1], now: at(milliseconds: 0), into: &effects)
        #expect(chain.heldBytes == 1)
        chain.drop()
        chain.follow([toxic], context, into: &effects)
        chain.wake(now: at(milliseconds: 50), into: &effects)
        chain.endOfStream(now: at(milliseconds: 50), into: &effects)
        #expect(effects == [])
        #expect(chain.heldBytes == 0 && chain.wakeAt == nil)
    }

    @Test func anEndGoesThroughAnEmptyChain() {
        var rig = ToxicRig()
        rig.end()
        #expect(rig.left == [.end(at: 0)])
    }

    @Test func nothingComesBehindTheEnd() throws {
        var rig = ToxicRig(try ActiveToxic("timeout=1s"))
        rig.end()
        rig.end()
        rig.send("a")
        rig.pass(milliseconds: 1e6)
        rig.remove(1)
        #expect(rig.left == [.end(at: 0)])
    }

    @Test func aToxicOfTheOtherStreamIsNoneOfThisChain() throws {
        let toxic = try ActiveToxic("latency@upstream=1h")
        var rig = ToxicRig(toxic, stream: .downstream)
        rig.send("a")
        #expect(rig.left == [.bytes("a", at: 0)])
        #expect(toxic.record.snapshot.connections == 0)
    }

    @Test func anUnaffectedConnectionIsAffectedWhenTheShareGrowsAndFreeWhenItShrinks() throws {
        var rig = ToxicRig(try ActiveToxic("latency~0=1h"))
        #expect(rig.chain.toxics == [])
        try rig.change(1, "latency~1=1h")
        #expect(rig.chain.toxics == [1])
        rig.send("a")
        try rig.change(1, "latency~0=1h")
        #expect(rig.left == [.bytes("a", at: 0)])
        #expect(rig.chain.isEmpty)
    }

    /// Younger than the toxic is younger for ever, whatever happens to its share.
    @Test func aConnectionThatIsYoungerThanHalfOpenIsNeverAffected() throws {
        var rig = ToxicRig(try ActiveToxic("half_open~0=0"), stream: .upstream)
        rig.pass(milliseconds: 1_000)
        try rig.change(1, "half_open~1=0")
        #expect(rig.chain.isEmpty)
    }

    @Test func aToxicInTheMiddleOfTheListWorksThere() throws {
        let first = try ActiveToxic("latency=10ms")
        let last = try ActiveToxic("limit_data=1", id: 3)
        var rig = ToxicRig(first, last)
        rig.set([first, try ActiveToxic("blackhole", id: 2), last])
        rig.send("ab")
        rig.pass(milliseconds: 100)
        #expect(rig.left == [])
        #expect(rig.chain.toxics == [1, 2, 3])
    }
}

@Suite struct ToxicityTests {
    private func affected(_ share: Double, toxic: String = "slow", seed: UInt64 = 9) -> Set<Int> {
        Set(
            (0..<10_000).filter {
                Toxicity.affects(share: share, seed: seed, proxy: "pg", toxic: toxic, connection: $0)
            })
    }

    @Test("About the right share, and the same ones every time", arguments: [0.01, 0.1, 0.5, 0.9])
    func share(_ share: Double) {
        let set = affected(share)
        // Five standard deviations.
        #expect(abs(Double(set.count) / 10_000 - share) < 5 * (share * (1 - share) / 10_000).squareRoot())
        #expect(set == affected(share))
    }

    @Test func zeroIsNobodyAndOneIsEverybody() {
        #expect(affected(0).isEmpty)
        #expect(affected(-1).isEmpty)
        #expect(affected(.nan).isEmpty)
        #expect(affected(1).count == 10_000)
    }

    @Test func aGreaterShareKeepsAllThatASmallerHad() {
        var smaller: Set<Int> = []
        for share in stride(from: 0.0, through: 1.0, by: 0.05) {
            let set = affected(share)
            #expect(set.isSuperset(of: smaller))
            smaller = set
        }
    }

    @Test func namesAndSeedsDecideIndependently() {
        let one = affected(0.5)
        for other in [affected(0.5, toxic: "slow2"), affected(0.5, seed: 10)] {
            // Of two independent halves a quarter is common.
            #expect(2_200...2_800 ~= one.intersection(other).count)
        }
    }

    @Test func otherToxicsDoNotMatter() throws {
        for connection in 0..<50 {
            let context = ChainContext(
                seed: 4, proxy: "pg", connection: connection, stream: .downstream, hasReceived: false,
                lastBytesAt: at(milliseconds: 0),
                now: at(milliseconds: 0))
            let toxic = try ActiveToxic("latency~50%=5ms")
            var effects: [StageEffect] = []
            var chain = ToxicChain()
            chain.follow([toxic], context, into: &effects)
            let isAffected = !chain.isEmpty
            chain.follow([try ActiveToxic("noop", id: 2), toxic], context, into: &effects)
            chain.follow([try toxic.with("latency~50%=7ms")], context, into: &effects)
            #expect(chain.isEmpty == !isAffected)
        }
    }
}
