import Testing

@testable import FaultInjection

@Suite struct PacketFateTests {
    private static func verdicts(_ plan: PacketFate.Plan, seed: UInt64, count: Int = 1000) -> [PacketFate.Verdict] {
        var fate = PacketFate(plan: plan, seed: seed)
        return (0..<count).map { fate.verdict(at: Int64($0) * 1_000) }
    }

    @Test func theSameSeedGivesTheSameFates() {
        var plan = PacketFate.Plan()
        (plan.loss, plan.reorder, plan.jitter, plan.delay) = (0.1, 0.1, 500, 1_000)
        #expect(Self.verdicts(plan, seed: 7) == Self.verdicts(plan, seed: 7))
        #expect(Self.verdicts(plan, seed: 7) != Self.verdicts(plan, seed: 8))
    }

    @Test func theShareIsLostAndNoMore() {
        var plan = PacketFate.Plan()
        plan.loss = 0.2
        let lost = Self.verdicts(plan, seed: 1).count { $0 == .lost }
        #expect((150...250).contains(lost))
        plan.loss = 1
        #expect(Self.verdicts(plan, seed: 1).allSatisfy { $0 == .lost })
        plan.loss = 0
        #expect(Self.verdicts(plan, seed: 1).allSatisfy { $0 != .lost })
    }

    @Test func jitterVariesTheDelayAndKeepsTheOrder() {
        var plan = PacketFate.Plan()
        (plan.delay, plan.jitter) = (1_000_000, 400_000)
        let times = Self.verdicts(plan, seed: 3).compactMap { verdict -> Int64? in
            if case .passes(let time) = verdict { time } else { nil }
        }
        #expect(times.count == 1000)
        #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(times.enumerated().allSatisfy { $0.element >= Int64($0.offset) * 1_000 + 600_000 })
        #expect(Set(times).count > 1)
    }

    @Test func whatIsOvertakenDoesNotHoldUpTheOthers() {
        var plan = PacketFate.Plan()
        (plan.reorder, plan.reorderDelay) = (0.3, 1_000_000_000)
        for (index, verdict) in Self.verdicts(plan, seed: 5).enumerated() {
            let now = Int64(index) * 1_000
            #expect(verdict == .passes(at: now) || verdict == .passes(at: now + 1_000_000_000))
        }
    }

    @Test func ordersAndCountsComeThroughAsWords() throws {
        var plan = PacketFate.Plan()
        (plan.delay, plan.jitter, plan.loss, plan.reorder, plan.reorderDelay) = (5, 4, 0.25, 0.5, 3)
        let order = PacketQueueOrder(queues: [6, 7], mark: 4, plan: plan, seed: 9, folder: "/tmp/chaosrig-x")
        #expect(PacketQueueOrder(order.arguments) == order)
        #expect(PacketQueueOrder(Array(order.arguments.dropLast())) == nil)
        var counts = PacketCounts()
        (counts.seen, counts.delayed, counts.lost, counts.overtaken) = (100, 20, 3, 4)
        #expect(PacketCounts(line: counts.line) == counts)
        #expect(PacketCounts().line.utf8.count == counts.line.utf8.count)
    }
}
