import RigModel
import Testing
import Threading

@testable import FaultProxy

@Suite struct SlicerStageTests {
    @Test("Slices are near the average, and all bytes come in order", arguments: [(64, 0), (64, 30), (1, 0), (10, 9)])
    func sizes(average: Int, variation: Int) throws {
        var rig = ToxicRig(try ActiveToxic("slicer:average_size=\(average),size_variation=\(variation)"))
        let sent = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
        rig.send(sent)
        #expect(rig.bytes == sent)
        #expect(rig.left.count >= sent.count / (average + variation))
        #expect(rig.chain.heldBytes == 0)
    }

    @Test func everySliceIsFollowedByAPause() throws {
        var rig = ToxicRig(try ActiveToxic("slicer:average_size=2,delay=500us"))
        rig.send("abcd")
        rig.send("ef")
        rig.end()
        rig.pass(milliseconds: 10)
        #expect(rig.left == [.bytes("ab", at: 0), .bytes("cd", at: 0.5), .bytes("ef", at: 1), .end(at: 1)])
    }

    @Test func piecesKeepTheTimeAtWhichTheyCame() throws {
        let toxic = try ActiveToxic("slicer:average_size=1,delay=1ms")
        var rig = ToxicRig(toxic)
        rig.send("abcd")
        rig.pass(milliseconds: 10)
        let holds = toxic.record.snapshot.holds
        #expect(holds.count == 3)  // The first one was not held.
        #expect(holds.maxNanoseconds == 3_000_000)
    }

    @Test("Sizes that make no sense neither trap nor hang", arguments: [(0, 0), (0, 5), (3, 100), (1, Int.max)])
    func oddSizes(average: Int, variation: Int) throws {
        var rig = ToxicRig(try ActiveToxic("slicer:average_size=\(average),size_variation=\(variation)"))
        let sent = (0..<1_000).map { UInt8(truncatingIfNeeded: $0) }
        rig.send(sent)
        #expect(rig.bytes == sent)
        if average == 0 { #expect(rig.left.count == 1) }
    }

    @Test func removalPassesTheRestInOnePiece() throws {
        var rig = ToxicRig(try ActiveToxic("slicer:average_size=1,delay=1h"))
        rig.send("abcd")
        rig.end()
        rig.remove(1)
        #expect(rig.left == [.bytes("a", at: 0), .bytes("bcd", at: 0), .end(at: 0)])
    }

    @Test func aChangeHoldsForTheRestOfAChunk() throws {
        var rig = ToxicRig(try ActiveToxic("slicer:average_size=1,delay=1h"))
        rig.send("abcd")
        try rig.change(1, "slicer:average_size=10,delay=0")
        #expect(rig.left == [.bytes("a", at: 0), .bytes("bcd", at: 0)])
    }
}

@Suite struct CorruptStageTests {
    private func differences(_ words: String, chunks: Int = 200, size: Int = 50) throws -> [Int] {
        var rig = ToxicRig(try ActiveToxic(words))
        let sent = [UInt8](repeating: 0x55, count: size)
        return (0..<chunks).map { _ in
            let before = rig.bytes.count
            rig.send(sent)
            return zip(sent, rig.bytes[before...]).count { $0 != $1 }
        }
    }

    @Test("As many bytes of a chunk change as are wanted, and none is lost", arguments: [1, 3, 49, 50, 1_000])
    func count(bytes: Int) throws {
        #expect(try differences("corrupt:bytes=\(bytes)").allSatisfy { $0 == min(bytes, 50) })
    }

    @Test func theShareOfChunksIsRight() throws {
        let changed = try differences("corrupt=20%", chunks: 5_000).count { $0 > 0 }
        #expect(900...1_100 ~= changed)
        #expect(try differences("corrupt=0").allSatisfy { $0 == 0 })
    }

    @Test func theFirstBytesAreLeftAlone() throws {
        var rig = ToxicRig(try ActiveToxic("corrupt:bytes=100,after_bytes=7"))
        rig.send([UInt8](repeating: 0, count: 5))
        rig.send([UInt8](repeating: 0, count: 5))
        #expect(rig.bytes.prefix(7).allSatisfy { $0 == 0 })
        #expect(rig.bytes.suffix(3).allSatisfy { $0 != 0 })
        #expect(rig.bytes.count == 10)
    }

    @Test func theSeedRepeatsIt() throws {
        func run(_ seed: UInt64) throws -> [UInt8] {
            var rig = ToxicRig(try ActiveToxic("corrupt=50%"), seed: seed)
            for _ in 0..<50 { rig.send([UInt8](repeating: 0, count: 20)) }
            return rig.bytes
        }
        #expect(try run(5) == run(5))
        #expect(try run(5) != run(6))
    }
}

@Suite struct QuietToxicTests {
    @Test func noopDoesNothing() throws {
        var rig = ToxicRig(try ActiveToxic("noop"))
        #expect(rig.chain.isEmpty)
        rig.send("a")
        #expect(rig.left == [.bytes("a", at: 0)])
    }

    @Test func refuseFirstRefusesExactlyTheFirst() throws {
        let toxic = try ToxicWords("refuse_first=3").toxic
        #expect((0..<6).map { toxic.admits(connection: $0) } == [false, false, false, true, true, true])
        #expect(ToxicRig(try ActiveToxic("refuse_first=3")).chain.isEmpty)
        #expect(try ToxicWords("refuse_first=0").toxic.admits(connection: 0))
        #expect(try ToxicWords("latency=1").toxic.admits(connection: 0))
    }
}
