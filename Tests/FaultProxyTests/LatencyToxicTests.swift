import FaultProxy
import RigModel
import Testing
import Threading

private let arrival = MonotonicInstant(nanoseconds: 5_000_000_000)

private func holds(of toxic: OldLatencyToxic, seed: UInt64, count: Int = 2000) -> [Duration] {
    var toxic = toxic
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in
        arrival.duration(to: toxic.releaseTime(ofChunkWith: 9, arrivingAt: arrival, using: &generator))
    }
}

@Suite struct LatencyToxicTests {
    @Test func withoutJitterEveryHoldIsTheLatency() {
        #expect(Set(holds(of: OldLatencyToxic(latency: .milliseconds(50)), seed: 1)) == [.milliseconds(50)])
    }

    @Test func jitterIsEvenAndStaysWithinItsBounds() throws {
        let all = holds(of: OldLatencyToxic(latency: .milliseconds(50), jitter: .milliseconds(10)), seed: 1)
        #expect(try #require(all.min()) >= .milliseconds(40))
        #expect(try #require(all.max()) <= .milliseconds(60))
        for low in stride(from: 40, to: 60, by: 5) {
            let share = all.count { $0 >= .milliseconds(low) && $0 < .milliseconds(low + 5) }
            #expect((400...600).contains(share))  // 500 of 2000 expected, more than four standard deviations of room
        }
    }

    @Test func sameSeedGivesTheSameHolds() {
        let toxic = OldLatencyToxic(latency: .milliseconds(5), jitter: .milliseconds(5))
        #expect(holds(of: toxic, seed: 3) == holds(of: toxic, seed: 3))
        #expect(holds(of: toxic, seed: 3) != holds(of: toxic, seed: 4))
    }

    @Test func jitterLargerThanTheLatencyNeverGoesBackInTime() throws {
        let all = holds(of: OldLatencyToxic(latency: .milliseconds(1), jitter: .milliseconds(9)), seed: 1)
        #expect(try #require(all.min()) == .zero)
    }
}
