import RigModel
import Testing
import Threading

@testable import Workloads

/// Quiet times, bursts, and when operations are due in them.
struct ActivityPlanTests {
    private static func plan(
        quiet: (Int, Int)? = nil, burst: (Int, Int)? = nil, factor: Int = 4
    ) -> ActivityPlan {
        var behaviour = ClientBehaviour()
        behaviour.quiet = quiet.map { ClientBehaviour.Window(every: .seconds($0.0), duration: .seconds($0.1)) }
        behaviour.burst = burst.map { ClientBehaviour.Window(every: .seconds($0.0), duration: .seconds($0.1)) }
        behaviour.burstFactor = factor
        return ActivityPlan(behaviour)
    }

    /// The level in the middle of each half second.
    private func levels(_ plan: ActivityPlan, seconds: Int) -> [Int] {
        (0..<(2 * seconds)).map { plan.level(at: .milliseconds(500 * $0 + 250)) }
    }

    @Test("Without windows the load never changes")
    func constant() {
        let plan = ActivityPlan()
        #expect(plan.isConstant && plan.highest == 1)
        #expect(levels(plan, seconds: 5) == Array(repeating: 1, count: 10))
        #expect(plan.nextQuiet(after: .zero) == nil)
    }

    @Test("A window comes at each multiple of its period, but not at the start")
    func windows() {
        #expect(levels(Self.plan(quiet: (3, 1)), seconds: 7) == [1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0])
        #expect(levels(Self.plan(burst: (2, 1)), seconds: 5) == [1, 1, 1, 1, 4, 4, 1, 1, 4, 4])
    }

    @Test("A burst that would come in a quiet time comes when that ends")
    func burstAfterQuiet() {
        let plan = Self.plan(quiet: (4, 2), burst: (4, 1))
        #expect(levels(plan, seconds: 8) == [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 4, 4, 1, 1])
    }

    @Test("The end of a quiet time is told while it lasts and before it")
    func quietEnd() {
        let plan = Self.plan(quiet: (6, 2))
        #expect(plan.nextQuiet(after: .zero)?.upperBound == .seconds(8))
        #expect(plan.nextQuiet(after: .milliseconds(7_999))?.upperBound == .seconds(8))
        #expect(plan.nextQuiet(after: .seconds(8))?.upperBound == .seconds(14))
        #expect(plan.nextQuiet(after: .milliseconds(12_500))?.upperBound == .seconds(14))
    }

    @Test("A burst that is a day away costs no more than one that comes soon")
    func distantBurst() {
        let start = MonotonicInstant(nanoseconds: 0)
        let day = 86_400
        var plan = ArrivalPlan(
            start: start, ratePerSecond: 5_000, maxLag: .seconds(1),
            activity: Self.plan(burst: (day, 1), factor: 1_000_000))
        // One by one these would be 432 billion arrivals up to the first burst.
        #expect((0..<3).map { _ in plan.take(now: start).dueAt } == [0, 200_000, 400_000].map(MonotonicInstant.init))
        let burst = Self.plan(burst: (day, 1), factor: 9)
        #expect(burst.nextBurst(from: .zero) == .seconds(day))
        #expect(burst.nextBurst(from: .seconds(day) + .milliseconds(500)) == .seconds(day) + .milliseconds(500))
        #expect(burst.nextBurst(from: .seconds(day + 1)) == .seconds(2 * day))
    }

    @Test("What a burst is does not depend on how many there were, nor on how long the quiet times are")
    func tinyBursts() {
        var behaviour = ClientBehaviour()
        behaviour.burst = ClientBehaviour.Window(every: .nanoseconds(2), duration: .nanoseconds(1))
        behaviour.burstFactor = 2
        behaviour.quiet = ClientBehaviour.Window(every: .seconds(8_640_000), duration: .seconds(8_553_600))
        let plan = ActivityPlan(behaviour)
        // A search through all bursts before it would take minutes.
        #expect(plan.level(at: .nanoseconds(5_000_000_000_000_000)) == 2)
        #expect(plan.level(at: .nanoseconds(5_000_000_000_000_001)) == 1)
        #expect(plan.level(at: .seconds(8_640_000)) == 0)
    }

    @Test("Nothing is due in a quiet time, four times as much in a burst, and order is kept")
    func arrivals() {
        let start = MonotonicInstant(nanoseconds: 5_000_000_000)
        var plan = ArrivalPlan(
            start: start, ratePerSecond: 100, maxLag: .seconds(1), activity: Self.plan(quiet: (4, 2), burst: (4, 1)))
        var due: [Double] = []
        while (due.last ?? 0) < 7.9 {
            let turn = plan.take(now: start.advanced(by: .seconds(due.last ?? 0)))
            #expect(turn.dropped == 0)
            due.append(start.duration(to: turn.dueAt).seconds)
        }
        #expect(due == due.sorted())
        func count(_ from: Double, _ to: Double) -> Int { due.count { $0 >= from && $0 < to } }
        #expect(count(0, 4) == 400)
        #expect(count(4, 6) == 0)
        #expect(count(6, 7) == 400)
        #expect(count(7, 7.9) == 90)
    }

    @Test("What was due and is hopelessly late is dropped and counted, but nothing that was not due")
    func drops() {
        let start = MonotonicInstant(nanoseconds: 0)
        var plan = ArrivalPlan(
            start: start, ratePerSecond: 100, maxLag: .seconds(1), activity: Self.plan(quiet: (4, 2)))
        let turn = plan.take(now: start.advanced(by: .seconds(8)))
        // 0 to 4 and 6 to 7 seconds.
        #expect(turn.dropped == 500)
        #expect(start.duration(to: turn.dueAt) == .seconds(7))
        // 7.01 to 7.99: at 8 it is quiet again.
        #expect(plan.dropDue(now: start.advanced(by: .seconds(8))) == 99)
    }
}
