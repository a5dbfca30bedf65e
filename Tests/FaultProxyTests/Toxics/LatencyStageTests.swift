import RigModel
import Testing
import Threading

@testable import FaultProxy

@Suite struct LatencyStageTests {
    @Test func everyChunkGoesOnSoLongAfterItCame() throws {
        let toxic = try ActiveToxic("latency=50ms")
        var rig = ToxicRig(toxic)
        rig.send("a")
        rig.pass(milliseconds: 20)
        rig.send("b")
        rig.end()
        rig.pass(milliseconds: 100)
        #expect(rig.left == [.bytes("a", at: 50), .bytes("b", at: 70), .end(at: 70)])
        let counts = toxic.record.snapshot
        #expect(counts.holds.count == 2)
        #expect(counts.holds.maxNanoseconds == 50_000_000)
        #expect(counts.heldBytes == 2)
        #expect(counts.connections == 1)
    }

    @Test func theRecordHasTheRealHoldAndNotThePlannedOne() throws {
        let toxic = try ActiveToxic("latency=10ms")
        var chain = ToxicChain()
        var effects: [StageEffect] = []
        let context = ChainContext(
            seed: 1, proxy: "p", connection: 0, stream: .downstream, hasReceived: false,
            lastBytesAt: at(milliseconds: 0),
            now: at(milliseconds: 0))
        chain.follow([toxic], context, into: &effects)
        chain.receive([1], now: at(milliseconds: 0), into: &effects)
        chain.wake(now: at(milliseconds: 9), into: &effects)
        #expect(effects == [])
        chain.wake(now: at(milliseconds: 13), into: &effects)
        #expect(effects == [.pass(Chunk(bytes: [1], arrival: at(milliseconds: 0)))])
        #expect(toxic.record.snapshot.holds.maxNanoseconds == 13_000_000)
    }

    @Test func withoutLatencyNothingIsHeldOrRecorded() throws {
        let toxic = try ActiveToxic("latency=0")
        var rig = ToxicRig(toxic)
        rig.send("a")
        #expect(rig.left == [.bytes("a", at: 0)])
        #expect(toxic.record.snapshot.holds.count == 0)
    }

    @Test("Jitter is even around the mean, and never takes a chunk below no delay", arguments: [(50, 10), (5, 20)])
    func jitter(latency: Int, jitter: Int) throws {
        let toxic = try ActiveToxic("latency=\(latency)ms,jitter=\(jitter)ms")
        var rig = ToxicRig(toxic, seed: 3)
        var holds: [Double] = []
        for _ in 0..<2_000 {
            let sent = rig.now
            rig.send("x")
            while rig.chain.heldBytes > 0, let time = rig.chain.wakeAt {
                rig.pass(milliseconds: Double(time.nanoseconds - rig.now.nanoseconds) / 1e6)
            }
            holds.append(Double(rig.now.nanoseconds - sent.nanoseconds) / 1e6)
        }
        let lowest = Double(max(latency - jitter, 0))
        let highest = Double(latency + jitter)
        #expect(holds.allSatisfy { lowest...highest ~= $0 })
        let mean = holds.reduce(0, +) / Double(holds.count)
        // Of a uniform distribution that is cut at 0.
        let expected =
            jitter <= latency ? Double(latency) : highest * highest / (4 * Double(jitter))
        #expect(abs(mean - expected) < Double(jitter) * 0.06)
        let zeros = holds.count { $0 == 0 }
        #expect(jitter > latency ? zeros > 500 : zeros == 0)
    }

    @Test func chunksNeverOvertake() throws {
        var rig = ToxicRig(try ActiveToxic("latency=50ms,jitter=50ms"))
        let sent = (0..<200).map { UInt8($0) }
        for byte in sent {
            rig.send([byte])
            rig.pass(milliseconds: 1)
        }
        rig.pass(milliseconds: 200)
        #expect(rig.bytes == sent)
    }

    @Test func aChangeHoldsForHeldChunksFromWhenTheyCame() throws {
        var rig = ToxicRig(try ActiveToxic("latency=100ms"))
        rig.send("a")
        rig.pass(milliseconds: 30)
        rig.send("b")
        try rig.change(1, "latency=40ms")
        rig.pass(milliseconds: 25)
        try rig.change(1, "latency=20ms")
        #expect(rig.left == [.bytes("a", at: 40), .bytes("b", at: 55)])
    }

    @Test func removalPassesWhatIsHeldAtOnceWithItsEnd() throws {
        var rig = ToxicRig(try ActiveToxic("latency=1h"))
        rig.send("a")
        rig.send("b")
        rig.end()
        rig.pass(milliseconds: 1)
        rig.remove(1)
        #expect(rig.left == [.bytes("a", at: 1), .bytes("b", at: 1), .end(at: 1)])
        #expect(rig.chain.isEmpty)
    }

    @Test func theLongestLatencyIsACenturyAndNoOverflow() throws {
        var rig = ToxicRig(try ActiveToxic("latency=\(Int64.max),jitter=\(Int64.max)"))
        for _ in 0..<50 { rig.send("a") }
        rig.pass(milliseconds: 1e9)
        #expect(rig.chain.heldBytes > 0)
        rig.remove(1)
        #expect(rig.bytes.count == 50)
        #expect(ToxicTime.nanoseconds(milliseconds: .max) == ToxicTime.longest)
        #expect(MonotonicInstant.distantFuture.after(nanoseconds: .max) == .distantFuture)
    }
}
