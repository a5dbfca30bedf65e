import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

@Suite(.timeLimit(.minutes(15)))
struct PoolCloseTests {
    @Test("A close ends although a lease never comes back: it is cut at the limit, and its statement fails")
    func cutsLeakedLease() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 2, statementTimeout: .seconds(900)))
        fixture.driver.answerStatements { _, statement in statement.text == "long" ? .hang : .rows(SQLResult()) }
        let busy = Task {
            try await fixture.pool.withConnection { lease in
                _ = try await lease.execute(SQLStatement("long", role: .read))
            }
        }
        try await fixture.runtime.untilSleeping(1)
        var leaked: HeldLease? = HeldLease(try await fixture.pool.acquire(site: .here()))
        let close = Task { await fixture.pool.close(within: .seconds(5)) }
        try await fixture.untilClosing()
        fixture.runtime.advance(by: .milliseconds(4_999))
        #expect(fixture.pool.gauges.inUse == 2)
        fixture.runtime.advance(by: .milliseconds(1))
        #expect(await close.value == 2)
        await #expect(throws: DriverError.lost) { try await busy.value }
        try await fixture.expectNothingLeft()
        #expect(fixture.driver.books.value.aborted == 2)
        #expect(leaked?.connection.looksAlive() == false)
        // The borrower's object frees what the pool has forgotten.
        leaked = nil
        try await fixture.driver.books.wait { $0.open.isEmpty }
        #expect(await fixture.pool.close() == 2)
    }

    @Test("A close does not wait for a connect in flight")
    func cancelsConnects() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 4, minIdle: 4), onConnect: { _ in .hang })
        let acquire = fixture.acquireInTask()
        try await fixture.driver.books.wait { $0.hanging.count == 4 }
        try await fixture.closeCleanly()
        await #expect(throws: PoolError.closed) { try await acquire.value }
        #expect(fixture.observer.told.value.connectFailures.isEmpty)
        #expect(fixture.pool.metrics.connectFailures == 0)
    }

    @Test("A close that comes while connects are just being started does not wait for them either")
    func cancelsConnectsThatJustStart() async throws {
        for seed in 0..<500 {
            let runtime = ManualRuntime()
            let driver = FakeDriver(runtime: runtime, onConnect: { _ in .hang })
            let pool = Pool(
                driver: driver, configuration: PoolConfiguration(maxOpen: 3), runtime: runtime, seed: UInt64(seed))
            async let first = Task { try? await pool.acquire(site: .here()).release() }.value
            async let second = Task { try? await pool.acquire(site: .here()).release() }.value
            async let close = Task { await pool.close() }.value
            #expect(await close == 0)
            _ = await (first, second)
            try await runtime.untilWorkEnds()
            #expect(pool.brokenInvariant() == nil)
        }
    }

    @Test("A check or a goodbye that hangs does not hold the close up beyond its limit")
    func slowWorkIsAborted() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 2, releaseTimeout: .seconds(900)))
        try await fixture.open(2)
        fixture.driver.answerStatements { _, _ in .hang }
        fixture.runtime.advance(by: .seconds(1))
        let acquire = fixture.acquireInTask()
        try await fixture.runtime.untilSleeping(1)
        let close = Task { await fixture.pool.close(within: .seconds(3)) }
        // The check of one connection and the goodbye of the other.
        try await fixture.runtime.untilSleeping(2)
        await #expect(throws: PoolError.closed) { try await acquire.value }
        fixture.runtime.advance(by: .seconds(3))
        #expect(await close.value == 0)
        try await fixture.expectNothingLeft()
        try await fixture.driver.books.wait { $0.open.isEmpty }
    }

    @Test("Closes and acquires of many tasks at once all end, and agree on the result")
    func concurrentCloses() async throws {
        for seed in 0..<50 {
            let fixture = PoolFixture(PoolConfiguration(maxOpen: 3), seed: UInt64(seed))
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        if number % 20 == 19 {
                            #expect(await fixture.pool.close() == 0)
                            return
                        }
                        do {
                            try await fixture.pool.withConnection { lease in
                                _ = try await lease.execute(SQLStatement("select 1", role: .read))
                                await Task.yield()
                            }
                        } catch {
                            #expect(error as? PoolError == .closed)
                        }
                    }
                }
            }
            try await fixture.closeCleanly()
        }
    }

    @Test("Everybody has been told everything when the close returns")
    func toldBeforeTheEnd() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 4))
        try await fixture.open(4)
        #expect(await fixture.pool.close() == 0)
        #expect(fixture.observer.told.value.notices.count == 4)
    }

    @Test("A closed pool is freed, with its timer")
    func closedPoolIsFreed() async throws {
        let runtime = ManualRuntime()
        weak var weakPool: Pool<FakeDriver>?
        do {
            let fixturePool = Pool(
                driver: FakeDriver(runtime: runtime), configuration: PoolConfiguration(maxOpen: 3, minIdle: 2),
                runtime: runtime, seed: 1)
            weakPool = fixturePool
            try await fixturePool.withConnection { _ in }
            _ = await fixturePool.close()
        }
        try await runtime.untilWorkEnds()
        #expect(runtime.alarmCount == 0)
        #expect(weakPool == nil)
    }

    @Test("A pool that is dropped without a close is freed when its work ends; nothing holds it in a circle")
    func droppedPoolIsFreed() async throws {
        let runtime = ManualRuntime()
        let driver = FakeDriver(runtime: runtime)
        weak var weakPool: Pool<FakeDriver>?
        do {
            let pool = Pool(
                driver: driver, configuration: PoolConfiguration(maxOpen: 3, minIdle: 2), runtime: runtime, seed: 1)
            weakPool = pool
            try await pool.withConnection { _ in }
        }
        try await runtime.untilWorkEnds()
        #expect(weakPool == nil)
        // Its timer may still fire, into nothing.
        runtime.advance(by: .seconds(10))
        try await driver.books.wait { $0.open.isEmpty }
    }
}
