import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

/// A pool that is closed under load, and the one that follows it.
@Suite(.timeLimit(.minutes(15)))
struct ReopeningPoolTests {
    @Test("The second pool serves, its connections have numbers of their own, and the counters go on")
    func reopens() async throws {
        let first = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        let runtime = first.runtime
        let driver = FakeDriver(runtime: runtime)
        let pool = ReopeningPool(first.pool, closeLimit: .seconds(2), runtime: runtime, sink: first.sink) { sink in
            InstrumentedPool(
                pool: Pool(
                    driver: driver, configuration: PoolConfiguration(maxOpen: 1), runtime: runtime, seed: 1,
                    observer: PoolEventRecorder(sink: sink)),
                policy: RetryPolicy(), begin: SQLStatement("BEGIN", role: .begin), seed: 1)
        }
        let before = await pool.use(.write(.insert))
        #expect(before.outcome == .ok && before.completion.connection == 1)
        await pool.reopen(whenUnderWay: 0)
        let after = await pool.use(.write(.insert))
        #expect(after.outcome == .ok && after.completion.connection == 1_000_001)
        #expect(first.driver.books.value.open.isEmpty)
        let opened = first.sink.events.filter { $0.function == "connection-opened" }
        #expect(opened.map { $0.value["conn"]?.intValue } == [1, 1_000_001])
        let counters = pool.metrics()
        let closed = try #require(first.sink.events.first { $0.function == "closed" })
        #expect(closed.value == ["took_ns": 0, "limit_ns": 2_000_000_000, "leases_cut": 0, "pool": 1])
        let reopened = try #require(first.sink.events.first { $0.function == "reopened" })
        #expect(reopened.value == ["in_flight": 0, "opened_after_ns": 0])
        #expect(pool.problems == [])
        #expect(counters.first { $0.key == "acquireCount" }?.value == 2)
        #expect(counters.first { $0.key == "connectsOpened" }?.value == 2)
        #expect(counters.first { $0.key == "openConnections" }?.value == 1)
        #expect(await pool.close() == 0)
        #expect(driver.books.value.open.isEmpty)
    }

    @Test("A close that never ends is not waited for, and told; the next pool serves")
    func closeHangs() async throws {
        let first = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        let next = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        let stuck = ClosesWhenTold()
        let pool = ReopeningPool(
            stuck, closeLimit: .seconds(2), runtime: first.runtime, sink: first.sink
        ) { _ in next.pool }
        let isDone = Watched(false)
        let reopen = Task {
            await pool.reopen(whenUnderWay: 3)
            isDone.change { $0 = true }
        }
        while !isDone.value {
            try Task.checkCancellation()
            first.runtime.advance(by: .milliseconds(10))
            await Task.yield()
        }
        await reopen.value
        let closed = try #require(first.sink.events.first { $0.function == "closed" })
        #expect(closed.value["leases_cut"] == .null && (closed.value["took_ns"]?.intValue ?? 0) >= 12_000_000_000)
        #expect(pool.problems == ["the pool was closed with 0 operations under way; 3 were asked for, and never were"])
        #expect(await pool.use(.write(.insert)).outcome == .ok)
        try await next.expectCleanClose()
        // Or its task is there for ever, and the leak checker says so.
        stuck.end()
        try await first.runtime.untilWorkEnds()
    }

    @Test("A pool that was not closed before the load ended is a problem of the run")
    func tooLate() async throws {
        let first = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        let pool = ReopeningPool(
            first.pool, closeLimit: .seconds(2), runtime: first.runtime, sink: first.sink
        ) { _ in nil }
        let reopen = Task { await pool.reopen(whenUnderWay: 1) }
        reopen.cancel()
        await reopen.value
        #expect(pool.problems == ["the pool was not closed and opened again: the load ended before"])
        #expect(!first.sink.events.contains { $0.function == "closed" })
        try await first.expectCleanClose()
    }

    @Test("A pool that cannot be opened again is a problem of the run")
    func failsToReopen() async throws {
        let first = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        let pool = ReopeningPool(
            first.pool, closeLimit: .seconds(2), runtime: first.runtime, sink: first.sink
        ) { _ in nil }
        #expect(pool.problems == [])
        await pool.reopen(whenUnderWay: 0)
        #expect(pool.problems == ["the pool could not be opened again"])
        #expect(await pool.use(.write(.insert)).outcome == .fail)
    }
}

/// Its close ends when the test says so, and not before.
private final class ClosesWhenTold: PoolUnderTest {
    private let (closing, told) = AsyncStream.makeStream(of: Never.self)

    var gauges: PoolGauges { PoolGauges() }
    func metrics() -> [JSONValue.Member] { [] }
    func openLeases() -> JSONValue { [] }
    func use(_ request: UseRequest) async -> UseReport { UseReport(outcome: .fail, completion: Completion()) }
    func close() async -> Int {
        for await _ in closing {}
        return 0
    }

    func end() { told.finish() }
}
