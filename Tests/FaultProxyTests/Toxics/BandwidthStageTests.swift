import Testing
import Threading

@testable import FaultProxy

@Suite struct BandwidthStageTests {
    @Test("The mean rate is exact, whatever the rate", arguments: [1, 7, 64, 100, 5_000, 1_000_000])
    func rate(kilobytesPerSecond rate: Int) throws {
        var rig = ToxicRig(try ActiveToxic("bandwidth=\(rate)"))
        let count = rate * 1_000  // One second.
        rig.send([UInt8](repeating: 1, count: count))
        rig.pass(milliseconds: 500)
        #expect(abs(rig.bytes.count - count / 2) <= max(count / 100, 10))
        rig.pass(milliseconds: 499)
        #expect(rig.bytes.count < count)
        rig.pass(milliseconds: 1.001)
        #expect(rig.bytes.count == count)
    }

    @Test func theStreamFlowsAndDoesNotComeInBursts() throws {
        var rig = ToxicRig(try ActiveToxic("bandwidth=100KB/s"))
        rig.send([UInt8](repeating: 1, count: 100_000))
        for step in 1...100 {
            rig.pass(milliseconds: 10)
            #expect(rig.bytes.count == step * 1_000)
        }
        #expect(rig.chain.heldBytes == 0)
    }

    @Test func aFreeLineGivesNoCredit() throws {
        var rig = ToxicRig(try ActiveToxic("bandwidth=1KB/s"))
        rig.pass(milliseconds: 10_000)
        rig.send("0123456789")
        rig.pass(milliseconds: 9)
        #expect(rig.left == [])
        rig.pass(milliseconds: 1)
        #expect(rig.left == [.bytes("0123456789", at: 10_010)])
    }

    @Test func aLateWakingKeepsTheRate() throws {
        let toxic = try ActiveToxic("bandwidth=1KB/s")
        var chain = ToxicChain()
        var effects: [StageEffect] = []
        chain.follow(
            [toxic],
            ChainContext(
                seed: 1, proxy: "p", connection: 0, stream: .downstream, hasReceived: false,
                lastBytesAt: at(milliseconds: 0),
                now: at(milliseconds: 0)), into: &effects)
        chain.receive([UInt8](repeating: 1, count: 100), now: at(milliseconds: 0), into: &effects)
        chain.wake(now: at(milliseconds: 35), into: &effects)
        #expect(effects.count == 3)
        #expect(chain.heldBytes == 70)
        #expect(chain.wakeAt == at(milliseconds: 40))
    }

    @Test func rateZeroPassesNothingAndHoldsTheEndBehindIt() throws {
        var rig = ToxicRig(try ActiveToxic("bandwidth=0"))
        rig.send("abc")
        rig.end()
        rig.pass(milliseconds: 1e9)
        #expect(rig.left == [])
        #expect(rig.chain.wakeAt == nil)
        #expect(rig.chain.heldBytes == 3)
        rig.remove(1)
        #expect(rig.left == [.bytes("abc", at: 1e9), .end(at: 1e9)])
    }

    @Test func aLineThatWasClosedOpensWithoutABurst() throws {
        var rig = ToxicRig(try ActiveToxic("bandwidth=0"))
        rig.send([UInt8](repeating: 1, count: 1_000))
        rig.pass(milliseconds: 60_000)
        try rig.change(1, "bandwidth=10KB/s")
        rig.pass(milliseconds: 50)
        #expect(rig.bytes.count == 500)
    }

    @Test func aNewRateHoldsForWhatIsHeld() throws {
        var rig = ToxicRig(try ActiveToxic("bandwidth=1KB/s"))
        rig.send([UInt8](repeating: 1, count: 2_000))
        rig.pass(milliseconds: 100)
        #expect(rig.bytes.count == 100)
        try rig.change(1, "bandwidth=10KB/s")
        rig.pass(milliseconds: 100)
        #expect(rig.bytes.count == 1_100)
    }

    @Test func theGreatestRateDoesNotOverflow() throws {
        var rig = ToxicRig(try ActiveToxic("bandwidth=\(Int64.max)"))
        rig.send([UInt8](repeating: 1, count: 1_000_000))
        rig.pass(milliseconds: 0.001)
        #expect(rig.bytes.count == 1_000_000)
    }
}
