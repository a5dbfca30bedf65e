import RigModel
import Testing
import Threading

@testable import FaultProxy

/// Random toxics come, change and go while random chunks pass.
@Suite struct ToxicChainPropertyTests {
    private struct Life {
        var generator: SeededGenerator
        var rig = ToxicRig()
        var sent: [UInt8] = []
        var nextID = 1
        var records: [ToxicRecord] = []
        let kinds: [String]

        mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

        mutating func words() -> String {
            kinds[number(0...kinds.count - 1)].split(separator: "#", omittingEmptySubsequences: false).enumerated()
                .map { $0.offset == 0 ? String($0.element) : "\(number(0...40))\($0.element)" }.joined()
        }

        mutating func step() throws {
            switch number(0...11) {
            case 0...4:
                let bytes = (0..<number(1...300)).map { _ in UInt8(number(0...255)) }
                // Behind a cut, whose toxic may have gone since, bytes are nobody's.
                if !rig.chain.isOver, !rig.chain.hasInputEnded { sent += bytes }
                rig.send(bytes)
            case 5...7: rig.pass(milliseconds: Double(number(0...30_000)) / 1_000)
            case 8: rig.wake()  // For nothing.
            case 9 where rig.toxics.count < 6:
                let record = ToxicRecord()
                records.append(record)
                var toxics = rig.toxics
                toxics.insert(
                    try ActiveToxic(words(), id: nextID, record: record), at: number(0...toxics.count))
                nextID += 1
                rig.set(toxics)
            case 10 where !rig.toxics.isEmpty:
                rig.remove(rig.toxics[number(0...rig.toxics.count - 1)].id)
            case 11 where !rig.toxics.isEmpty:
                let toxic = rig.toxics[number(0...rig.toxics.count - 1)]
                let name = type(of: toxic.toxic).type.name
                if let words = (0..<20).map({ _ in words() }).first(where: { $0.hasPrefix(name) }) {
                    try rig.change(toxic.id, words)
                }
            default: break
            }
        }
    }

    private static let lossless = [
        "latency=#ms,jitter=#ms", "bandwidth=1#", "bandwidth=#", "slow_close=#ms",
        "slicer:average_size=#,size_variation=#,delay=#us", "slicer:average_size=4#,delay=#", "noop",
        "limit_data=1000000#", "cut_after:bytes=1000000#", "corrupt=0", "reset_peer=1#h",
    ]
    private static let lossy =
        lossless + [
            "blackhole", "timeout=#ms", "limit_data=#", "cut_after:bytes=1#", "cut_after:messages=#,manner=finish",
            "reset_peer=#ms", "cut_after:after_ms=1#,manner=finish",
        ]

    @Test("Toxics that lose nothing lose nothing, and keep the order", arguments: 0..<150)
    func lossless(seed: Int) throws {
        var life = Life(generator: SeededGenerator(seed: UInt64(seed)), kinds: Self.lossless)
        for _ in 0..<300 {
            try life.step()
            #expect(life.rig.bytes.count + life.rig.chain.heldBytes == life.sent.count)
        }
        life.rig.end()
        for _ in 0..<10 { life.rig.pass(milliseconds: 7) }
        life.rig.set([])
        #expect(life.rig.bytes == life.sent)
        guard case .end? = life.rig.left.last else { return #expect(Bool(false), "no end left") }
        #expect(life.rig.chain.heldBytes == 0)
    }

    @Test("What came has passed, is held, or was swallowed and counted", arguments: 0..<150)
    func lossy(seed: Int) throws {
        var life = Life(generator: SeededGenerator(seed: 1_000 + UInt64(seed)), kinds: Self.lossy)
        for step in 0..<300 where !life.rig.chain.isOver {
            if step == 250 { life.rig.end() }
            try life.step()
            let swallowed = life.records.reduce(0) { $0 + $1.snapshot.swallowedBytes }
            let accounted = life.rig.bytes.count + life.rig.chain.heldBytes + swallowed
            // A reset takes along what is held.
            if !life.rig.chain.isOver { #expect(accounted == life.sent.count) }
        }
        life.rig.set([])
        // What passed is what came with gaps: a subsequence of it.
        var rest = life.sent[...]
        for byte in life.rig.bytes {
            guard let place = rest.firstIndex(of: byte) else { return #expect(Bool(false), "a byte from nowhere") }
            rest = rest[(place + 1)...]
        }
        let closes = life.rig.left.count { if case .bytes = $0 { false } else { true } }
        #expect(closes <= 1)
        #expect(life.records.reduce(0) { $0 + $1.snapshot.closed } <= 2)
    }
}
