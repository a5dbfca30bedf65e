import FaultProxy
import Glibc
import RigModel
import Testing
import Threading

/// Feeds a ``WireInspector`` with what no honest peer sends, for a bounded time: random bytes, and dialogues with changed,
/// lost, doubled and swapped parts, in random pieces.
///
/// `CHAOSRIG_FUZZ_SECONDS=600 swift test --filter WireFuzzTests` runs it for longer. A failure names the round; rounds of
/// a seed are the same in each run.
struct WireFuzz {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let seed: UInt64
    let budget: Duration
    let dialogues: [WireDialogue]

    /// - Returns: how many rounds there was time for.
    func run() throws -> Int {
        let limit = MonotonicInstant.now.advanced(by: budget)
        var round = 0
        while round == 0 || MonotonicInstant.now < limit {
            try play(round)
            round += 1
        }
        return round
    }

    private func play(_ number: Int) throws {
        var generator = SeededGenerator(seed: seed, stream: "wire-fuzz-\(number)")
        let parts = damaged(&generator)
        let idle = try CutPointTests.idleRules.map { try CutRule(words: $0) }
        var observing = WireInspector()
        var idling = WireInspector(idle)
        // Its rules do match: it may do anything but crash or keep too much.
        var acting = WireInspector(try Self.actingRules.map { try CutRule(words: $0) })
        var passed: [ProxyStream: [UInt8]] = [.upstream: [], .downstream: []]
        var given: [ProxyStream: Int] = [.upstream: 0, .downstream: 0]
        for part in parts {
            var at = 0
            while at < part.bytes.count {
                let next = min(
                    at + 1 + Int(generator.next() % (generator.next() % 4 == 0 ? 4 : 2000)), part.bytes.count)
                let piece = part.bytes[at..<next]
                at = next
                observing.observe(piece, part.stream)
                let effects = idling.intercept(piece, part.stream)
                passed[part.stream]? += effects.passed
                given[part.stream]? += piece.count
                guard effects.deeds.isEmpty else { throw Failure(description: "round \(number): \(effects.deeds)") }
                let kept = (given[part.stream] ?? 0) - (passed[part.stream] ?? []).count
                guard (0...1 << 20).contains(kept) else { throw Failure(description: "round \(number): kept \(kept)") }
                _ = acting.intercept(piece, part.stream)
                if generator.next() % 64 == 0 { acting.setCuts([]) }
            }
        }
        for stream in ProxyStream.allCases {
            passed[stream]? += idling.endOfStream(stream).passed
            _ = acting.endOfStream(stream)
            guard passed[stream] == parts.filter({ $0.stream == stream }).flatMap(\.bytes) else {
                throw Failure(description: "round \(number): \(stream) was changed")
            }
        }
        guard idling.facts == observing.facts else {
            throw Failure(description: "round \(number): \(idling.facts) and \(observing.facts)")
        }
    }

    private static let actingRules = [
        "after Parse do delay 1", "before Execute every=3 do error 40001", "inside DataRow nth=5 do delay 1",
        "before Query every=2 do error 40001", "before CommandComplete nth=9 do truncate 3",
        "after Sync nth=8 do blackhole",
        "before Describe statement=. do error 57P01 share=0.2",
    ]

    private func damaged(_ generator: inout SeededGenerator) -> [WireDialogue.Part] {
        func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(max(bound, 1))) }
        if below(8) == 0 {
            return (0..<8).map { _ in
                .init(
                    stream: below(2) == 0 ? .upstream : .downstream,
                    bytes: (0..<below(4000)).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
            }
        }
        var parts = dialogues[below(dialogues.count)].parts
        for _ in 0..<below(6) {
            let place = below(parts.count)
            var bytes = parts[place].bytes
            let at = below(bytes.count)
            switch below(9) {
            case 8:
                // Statements and portals with names of all lengths, again and again.
                for _ in 0..<below(60) {
                    let name = String(repeating: "n", count: [0, 1, 255, 256, 257, 5000][below(6)]) + "\(below(9))"
                    bytes += Wire.extended(name, "select 1") + Wire.bind(name, name) + Wire.execute(name)
                }
                parts[place].stream = .upstream
            case 0: bytes.removeSubrange(at...)
            case 1: if !bytes.isEmpty { bytes[at] = UInt8(truncatingIfNeeded: generator.next()) }
            case 2:
                bytes.insert(
                    contentsOf: (0..<below(40)).map { _ in UInt8(truncatingIfNeeded: generator.next()) }, at: at)
            case 3: if !bytes.isEmpty { bytes[at] ^= 1 << UInt8(below(8)) }
            case 4: parts.swapAt(place, below(parts.count))
            case 5: parts.insert(parts[below(parts.count)], at: place)
            case 6: bytes.insert(contentsOf: bytes, at: at)
            // A length of up to 4 GiB where one may stand.
            default:
                if at + 5 <= bytes.count {
                    bytes.replaceSubrange(at + 1..<at + 5, with: Wire.int32(-below(3) &+ Int(Int32.max) * below(2)))
                }
            }
            if place < parts.count { parts[place].bytes = bytes }
        }
        return parts
    }
}

@Suite struct WireFuzzTests {
    @Test func nothingThatIsSentCrashesOrChangesIt() throws {
        let seconds = getenv("CHAOSRIG_FUZZ_SECONDS").flatMap { Int(String(cString: $0)) } ?? 2
        let rounds = try WireFuzz(seed: 20_261_121, budget: .seconds(seconds), dialogues: Wire.dialogues).run()
        #expect(rounds > 10)
    }
}
