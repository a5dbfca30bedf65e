import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

/// The pool's shell: borrowing and giving back, with real tasks on manual time.
@Suite(.timeLimit(.minutes(15)))
struct PoolTests {
    @Test("A released connection is lent again")
    func reuse() async throws {
        let fixture = PoolFixture()
        for _ in 0..<3 {
            let lease = try await fixture.pool.acquire(site: .here())
            _ = try await lease.execute(SQLStatement("select 1", role: .read))
            #expect(lease.connectionNumber == 1)
            #expect(fixture.pool.gauges.inUse == 1)
            lease.release()
        }
        #expect(fixture.driver.books.value.connects == 1)
        #expect(fixture.pool.metrics.acquireCount == 3)
        try await fixture.closeCleanly()
    }

    @Test("A waiting acquire gets the connection that another task releases")
    func handOver() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1))
        let first = try await fixture.pool.acquire(site: .here())
        let second = fixture.acquireInTask()
        try await fixture.eventually { $0.waiting == 1 }
        first.release()
        try await second.value.release()
        try await fixture.closeCleanly()
    }

    @Test("An acquire times out at its deadline and not before, and its connect is kept for others")
    func acquireTimesOut() async throws {
        let fixture = PoolFixture(
            PoolConfiguration(maxOpen: 1, acquireTimeout: .seconds(2), connectTimeout: .seconds(10)),
            onConnect: { _ in .hang })
        let acquire = fixture.acquireInTask()
        try await fixture.driver.books.wait { $0.hanging.count == 1 }
        fixture.runtime.advance(by: .milliseconds(1_999))
        #expect(fixture.pool.gauges.waiting == 1)
        fixture.runtime.advance(by: .milliseconds(1))
        await #expect {
            try await acquire.value
        } throws: { error in
            guard case .acquireTimedOut(.seconds(2), let gauges, 1, nil) = error as? PoolError else { return false }
            return gauges.connecting == 1
        }
        try await fixture.driver.answerConnect(.succeed)
        try await fixture.eventually { $0.idle == 1 }
        try await fixture.closeCleanly()
    }

    @Test("A caller's own deadline is kept when it is earlier")
    func callersDeadline() async throws {
        let fixture = PoolFixture(onConnect: { _ in .hang })
        let acquire = fixture.acquireInTask(deadline: fixture.runtime.now.advanced(by: .milliseconds(5)))
        try await fixture.driver.books.wait { $0.hanging.count == 1 }
        fixture.runtime.advance(by: .milliseconds(5))
        await #expect(throws: PoolError.self) { try await acquire.value }
        try await fixture.closeCleanly()
    }

    @Test("Acquires with all sorts of deadlines, begun at once by many tasks, each time out at their own")
    func noAlarmIsLost() async throws {
        for round in 0..<20 {
            let fixture = PoolFixture(
                PoolConfiguration(maxOpen: 1, acquireTimeout: .seconds(9), connectTimeout: .seconds(9)),
                seed: UInt64(round), onConnect: { _ in .hang })
            let start = fixture.runtime.now
            let deadlines = (1...64).map { start.advanced(by: .milliseconds(($0 * 37) % 101 + 1)) }
            let acquires = deadlines.map { deadline in
                Task { () -> MonotonicInstant? in
                    do throws(PoolError) {
                        try await fixture.pool.acquire(deadline: deadline, site: .here()).release()
                        return nil
                    } catch {
                        guard case .acquireTimedOut(let waited, _, _, _) = error else { return nil }
                        return start.advanced(by: waited)
                    }
                }
            }
            try await fixture.eventually { $0.waiting == 64 }
            // One at a time: who sets the next alarm may be a task that is still on its way from the queue.
            for deadline in Set(deadlines).sorted() {
                fixture.runtime.advance(by: fixture.runtime.now.duration(to: deadline))
                let left = deadlines.count { $0 > deadline }
                try await fixture.eventually { $0.waiting == left }
            }
            for (acquire, deadline) in zip(acquires, deadlines) { #expect(await acquire.value == deadline) }
            try await fixture.closeCleanly()
        }
    }

    @Test("A cancelled acquire ends at once, holds nothing, and its connect serves the next one")
    func cancelledInTheQueue() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1), onConnect: { _ in .hang })
        let first = fixture.acquireInTask()
        try await fixture.eventually { $0.waiting == 1 }
        let second = fixture.acquireInTask()
        try await fixture.eventually { $0.waiting == 2 }
        first.cancel()
        await #expect(throws: PoolError.cancelled) { try await first.value }
        try await fixture.driver.answerConnect(.succeed)
        try await second.value.release()
        #expect(fixture.driver.books.value.connects == 1)
        try await fixture.closeCleanly()
    }

    @Test("A task that is cancelled already waits for nothing; what is idle it may have")
    func cancelledBefore() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1))
        try await fixture.open(1)
        func acquireCancelled() -> Task<Void, any Error> {
            let gate = Watched(false)
            let task = Task {
                try? await gate.wait { $0 }
                return try await fixture.pool.acquire(site: .here()).release()
            }
            task.cancel()
            return task
        }
        try await acquireCancelled().value
        let held = HeldLease(try await fixture.pool.acquire(site: .here()))
        await #expect(throws: PoolError.cancelled) { try await acquireCancelled().value }
        #expect(fixture.pool.gauges.waiting == 0)
        held.release()
        try await fixture.closeCleanly()
    }

    @Test("A cancellation that races the grant loses no connection")
    func cancellationRacesTheGrant() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1))
        var served = 0
        for _ in 0..<2_000 {
            let holder = HeldLease(try await fixture.pool.acquire(site: .here()))
            let waiter = fixture.acquireInTask()
            try await fixture.eventually { $0.waiting == 1 }
            async let release: Void = holder.release()
            async let cancel: Void = waiter.cancel()
            _ = await (release, cancel)
            switch await waiter.result {
            case .success(let lease):
                served += 1
                lease.release()
            case .failure(let error): #expect(error as? PoolError == .cancelled)
            }
            #expect(fixture.pool.gauges.idle == 1)
        }
        let metrics = fixture.pool.metrics
        #expect(metrics.acquireCancelled == 2_000 - served)
        #expect(metrics.acquireCount == 2_000 + served)
        #expect(fixture.driver.books.value.connects == 1)
        try await fixture.closeCleanly()
    }

    @Test("A dead idle connection is replaced before anyone gets it")
    func deadIdleIsReplaced() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1))
        try await fixture.open(1)
        try await fixture.driver.connection(1).kill()
        let lease = try await fixture.pool.acquire(site: .here())
        #expect(lease.connection.number == 2)
        lease.release()
        #expect(fixture.pool.metrics.lostClosed == 1)
        #expect(fixture.pool.metrics.acquireCount == 2)
        try await fixture.closeCleanly()
    }

    @Test("A whole pool of dead idle connections costs one acquire one loss, not one for each of them")
    func allIdleAreDead() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 8, maxConnecting: 8))
        try await fixture.open(8)
        for connection in fixture.driver.connections { connection.kill() }
        let lease = try await fixture.pool.acquire(site: .here())
        #expect(lease.connection.number > 8)
        lease.release()
        try await fixture.runtime.untilWorkEnds()
        #expect(fixture.pool.metrics.lostClosed == 8)
        #expect(fixture.pool.metrics.healthChecksFailed == 7)
        try await fixture.closeCleanly()
    }

    @Test("A server that drops each connection at once is told apart from a full pool")
    func onlyDeadConnections() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 3), onConnect: { _ in .succeedDead })
        let call = Task { try await fixture.pool.acquire(deadline: .distantFuture, site: .here()).release() }
        // Between two of them it backs off, so time must pass.
        let clock = Task {
            while !Task.isCancelled {
                try await fixture.runtime.untilWorkEnds()
                fixture.runtime.advance(by: .milliseconds(10))
                await Task.yield()
            }
        }
        await #expect(throws: PoolError.onlyDeadConnections(tries: 4)) { try await call.value }
        clock.cancel()
        _ = await clock.result
        try await fixture.closeCleanly()
    }

    @Test("A statement that times out costs its connection, but raises no alarm about the others")
    func statementTimeoutIsNoLoss() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 2, statementTimeout: .milliseconds(100)))
        try await fixture.open(2)
        fixture.driver.answerStatements { _, statement in statement.text == "slow" ? .hang : .rows(SQLResult()) }
        let call = Task {
            try await fixture.pool.withConnection { lease in
                _ = try await lease.execute(SQLStatement("slow", role: .read))
            }
        }
        try await fixture.runtime.untilSleeping(1)
        fixture.runtime.advance(by: .milliseconds(100))
        await #expect(throws: DriverError(.timedOut, "slow timed out")) { try await call.value }
        try await fixture.runtime.untilWorkEnds()
        #expect(fixture.pool.gauges.idle == 1)
        #expect(fixture.pool.metrics.healthChecksOK == 0)
        #expect(fixture.driver.connections.map(\.number) == [1])
        try await fixture.closeCleanly()
    }

    @Test("A statement that proves a loss has the idle connections checked before the lease is back")
    func lossIsNoticedAtOnce() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 3))
        try await fixture.open(3)
        let lease = try await fixture.pool.acquire(site: .here())
        lease.connection.kill()
        await #expect(throws: DriverError.self) { try await lease.execute(SQLStatement("select 1", role: .read)) }
        try await fixture.runtime.untilWorkEnds()
        #expect(fixture.pool.metrics.healthChecksOK == 2)
        lease.release()
        try await fixture.runtime.untilWorkEnds()
        #expect(
            fixture.observer.told.value.notices.contains { notice in
                if case .closing(_, .lost) = notice { true } else { false }
            })
        try await fixture.closeCleanly()
    }

    @Test("Background checks go on by the alarm alone, and find what died")
    func backgroundChecks() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 2, healthCheckInterval: .seconds(1)))
        try await fixture.open(2)
        try await fixture.driver.connection(2).kill()
        fixture.runtime.advance(by: .milliseconds(1_500))
        try await fixture.runtime.untilWorkEnds()
        #expect(fixture.pool.gauges.open == 1)
        #expect(fixture.pool.metrics.healthChecksFailed == 1)
        try await fixture.closeCleanly()
    }

    @Test("A pool that is ahead of demand reopens what died")
    func minIdleIsKept() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 4, minIdle: 3, healthCheckInterval: .seconds(1)))
        try await fixture.eventually { $0.idle == 3 }
        for connection in fixture.driver.connections { connection.kill() }
        // They die before anyone used them, so it backs off a little between the new ones.
        for _ in 0..<10 {
            fixture.runtime.advance(by: .seconds(1))
            try await fixture.runtime.untilWorkEnds()
        }
        // One more where a check took so long that nobody counted on it.
        #expect(fixture.pool.gauges.idle >= 3)
        #expect(fixture.driver.connections.allSatisfy { $0.looksAlive() })
        try await fixture.closeCleanly()
    }
}
