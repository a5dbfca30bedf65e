import ConnectionPool
import RigModel
import Testing
import Threading
import Workloads

/// The parts of a workload that only draw and count.
struct DrawingTests {
    @Test("Kinds are drawn by their weights; one with weight 0 is not part of the mix")
    func mix() {
        let mix = OperationMix([
            (AppendOperation(), 60), (LeakOperation(), 0), (ReadOperation(), 30), (TransferOperation(), 10),
        ])
        #expect(mix.names == ["append", "read", "transfer"])
        var generator = SeededGenerator(seed: 3)
        var counts: [String: Int] = [:]
        for _ in 0..<10_000 { counts[mix.draw(&generator).name, default: 0] += 1 }
        #expect(counts.keys.sorted() == ["append", "read", "transfer"])
        for (name, share) in [("append", 6_000), ("read", 3_000), ("transfer", 1_000)] {
            #expect(abs((counts[name] ?? 0) - share) < 300, "\(name)")
        }
    }

    @Test("The catalogue makes each kind by the name that it shows")
    func catalogue() {
        #expect(
            OperationCatalogue.shapes.map(\.name) == [
                "append", "append-transaction", "read", "read-row", "read-large", "transfer", "pausing-transfer",
                "register", "inspect", "listen",
                "slow-read",
                "leak",
            ])
        for shape in OperationCatalogue.shapes {
            #expect(OperationCatalogue.make(shape.name).map { type(of: $0).shape.name } == shape.name)
        }
        #expect(OperationCatalogue.make("appendix") == nil)
    }

    @Test("Ids are unique over clients that take them at the same time")
    func idsAreUnique() async {
        let allocator = OperationIDAllocator(worker: 5)
        let ids = await withTaskGroup(of: [OperationID].self) { group in
            for _ in 0..<16 {
                group.addTask {
                    var taken: [OperationID] = []
                    for _ in 0..<5 {
                        var block = allocator.reserve()
                        while let id = block.take() { taken.append(id) }
                        await Task.yield()
                    }
                    return taken
                }
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(ids.count == 16 * 5 * 256)
        #expect(Set(ids).count == ids.count)
        #expect(ids.allSatisfy { $0.worker == 5 && $0.attempt == 0 })
    }

    @Test("Operations are due at even intervals from the start, whoever takes them and however late")
    func schedule() {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        var schedule = ArrivalSchedule(start: start, ratePerSecond: 200, maxLag: .seconds(1))
        for index in 0..<100 {
            let turn = schedule.take(now: start.advanced(by: .milliseconds(600)))
            #expect(start.duration(to: turn.dueAt) == .milliseconds(5 * index))
            #expect(turn.dropped == 0)
        }
    }

    @Test("What is later than the limit is dropped and counted, once")
    func scheduleDrops() {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        var schedule = ArrivalSchedule(start: start, ratePerSecond: 10, maxLag: .seconds(1))
        // 5 s late: due were 0…50; those due up to 4 s are too late, 40 of them before the one at exactly 4 s.
        let first = schedule.take(now: start.advanced(by: .seconds(5)))
        #expect(first.dropped == 40)
        #expect(start.duration(to: first.dueAt) == .seconds(4))
        let second = schedule.take(now: start.advanced(by: .seconds(5)))
        #expect(second.dropped == 0)
        #expect(start.duration(to: second.dueAt) == .milliseconds(4_100))
    }

    @Test("At the end everything that is due and was not taken is dropped; what is not due yet is not")
    func scheduleEnds() {
        let start = MonotonicInstant(nanoseconds: 1_000_000_000)
        var schedule = ArrivalSchedule(start: start, ratePerSecond: 10, maxLag: .seconds(1))
        #expect(schedule.take(now: start).dropped == 0)
        let end = start.advanced(by: .milliseconds(550))
        let dropped = schedule.dropDue(now: end)
        #expect(dropped == 5)
        let again = schedule.dropDue(now: end)
        #expect(again == 0)
        var idle = ArrivalSchedule(start: end, ratePerSecond: 10, maxLag: .seconds(1))
        let beforeTheStart = idle.dropDue(now: start)
        #expect(beforeTheStart == 0)
    }

    @Test("A rate of almost nothing is due at almost never")
    func scheduleWithATinyRate() {
        let start = MonotonicInstant(nanoseconds: 0)
        var schedule = ArrivalSchedule(start: start, ratePerSecond: 1e-300, maxLag: .seconds(1))
        _ = schedule.take(now: start)
        #expect(start.duration(to: schedule.take(now: start).dueAt) > .seconds(1_000_000_000))
    }
}
