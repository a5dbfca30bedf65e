import RigModel
import Testing
import Threading

@testable import FaultProxy

private func at(_ nanoseconds: UInt64) -> MonotonicInstant { MonotonicInstant(nanoseconds: nanoseconds) }

/// Takes everything that is due, in pieces of at most `step` bytes.
private func takeDue(_ held: inout HeldChunks, at now: MonotonicInstant, step: Int = 3) -> [UInt8] {
    var taken: [UInt8] = []
    while let chunk = held.first, chunk.due <= now {
        let piece = chunk.bytes[chunk.sent...].prefix(step)
        taken += piece
        held.consume(piece.count)
    }
    return taken
}

@Suite struct HeldChunksTests {
    @Test func chunkNeverOvertakesTheOneBeforeIt() {
        var held = HeldChunks()
        held.append([1, 2], arrival: at(0), due: at(50), epoch: 1)
        held.append([3], arrival: at(1), due: at(10), epoch: 1)
        #expect(takeDue(&held, at: at(49)) == [])
        #expect(takeDue(&held, at: at(50)) == [1, 2, 3])
        #expect(held.isEmpty)
        #expect(held.byteCount == 0)
    }

    @Test("Any jitter, any pieces: the bytes keep their order", arguments: 0..<20)
    func orderIsKept(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var held = HeldChunks()
        var expected: [UInt8] = []
        var seen: [UInt8] = []
        for time in 0..<500 {
            let bytes = (0..<Int.random(in: 1...9, using: &generator)).map { UInt8(truncatingIfNeeded: time + $0) }
            expected += bytes
            let due = at(UInt64(time + Int.random(in: 0...40, using: &generator)))
            held.append(bytes, arrival: at(UInt64(time)), due: due, epoch: 1)
            if Bool.random(using: &generator) {
                seen += takeDue(&held, at: at(UInt64(time)), step: Int.random(in: 1...9, using: &generator))
            }
            #expect(held.byteCount == expected.count - seen.count)
        }
        #expect(!held.isEmpty)
        held.releaseAll()
        seen += takeDue(&held, at: at(500))
        #expect(seen == expected)
    }

    @Test func releaseOfTheUnboundedKeepsTheTimesOfTheOthers() {
        var held = HeldChunks()
        held.append([1], arrival: at(0), due: at(30), epoch: 1)
        held.append([2], arrival: at(0), due: .distantFuture, epoch: 2)
        held.append([3], arrival: at(0), due: at(40), epoch: 3)
        held.releaseUnbounded()
        #expect(takeDue(&held, at: at(29)) == [])
        #expect(takeDue(&held, at: at(30)) == [1, 2, 3])
    }
}

@Suite struct DueQueueTests {
    @Test("Entries come in the order of their times, and none before its time", arguments: 0..<10)
    func ordered(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var queue = DueQueue()
        let times = (0..<200).map { _ in UInt64.random(in: 0..<100, using: &generator) }
        for (id, time) in times.enumerated() { queue.push(UInt64(id), at: at(time)) }
        var seen: [UInt64] = []
        for now in 0..<UInt64(100) {
            while let id = queue.pop(at: at(now)) {
                #expect(times[Int(id)] == now)
                seen.append(id)
            }
        }
        #expect(seen.sorted() == (0..<200).map { UInt64($0) })
        #expect(queue.earliest == nil)
    }
}
