import Testing
import Threading

@testable import EventLoop

struct DeadlineHeapTests {
    @Test func slotsExpireInTheOrderOfTheirTimes() {
        var heap = DeadlineHeap()
        for (slot, time) in [(4, 50), (0, 10), (2, 30), (1, 20), (3, 40)] { _ = heap.set(slot, at: instant(time)) }
        var order: [Int] = []
        while let slot = heap.popExpired(at: instant(40)) { order.append(slot) }
        #expect(order == [0, 1, 2, 3])
        #expect(heap.earliest == instant(50))
    }

    @Test func onlyANewEarliestTimeAsksForAWakeUp() {
        var heap = DeadlineHeap()
        let answers = [(0, 20), (1, 30), (2, 20), (1, 10), (1, 40)].map { slot, time in
            heap.set(slot, at: instant(time))
        }
        #expect(answers == [true, false, false, true, false])
    }

    @Test func emptyHeapHasNoTime() {
        var heap = DeadlineHeap()
        #expect(heap.earliest == .distantFuture)
        let popped = heap.popExpired(at: .distantFuture)
        #expect(popped == nil)
    }

    @Test(
        "A slot has one entry however often it is set, and no entry comes late",
        arguments: 1...20 as ClosedRange<UInt64>)
    func agreesWithAPlainDictionary(seed: UInt64) {
        var random = Dice(state: seed)
        var heap = DeadlineHeap()
        var model: [Int: Int] = [:]
        for _ in 0..<2000 {
            if random.next(below: 3) > 0 {
                let (slot, time) = (random.next(below: 64), random.next(below: 1000))
                let isEarliest = heap.set(slot, at: instant(time))
                #expect(isEarliest == (time < model.values.min() ?? .max))
                model[slot] = time
            } else {
                let now = random.next(below: 1000)
                let popped = heap.popExpired(at: instant(now))
                let expected = model.values.min().flatMap { $0 <= now ? $0 : nil }
                let time = popped.flatMap { model.removeValue(forKey: $0) }
                #expect(time == expected)
            }
            #expect(heap.count == model.count)
            #expect(heap.earliest == model.values.min().map(instant) ?? .distantFuture)
        }
    }

    private func instant(_ value: Int) -> MonotonicInstant { MonotonicInstant(nanoseconds: UInt64(value)) }
}

/// A small linear congruential generator: the same seed gives the same numbers.
struct Dice {
    var state: UInt64

    mutating func next(below bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((state >> 33) % UInt64(bound))
    }
}
