import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

/// withConnection, withTransaction, and leases that nobody gives back.
@Suite(.timeLimit(.minutes(15)))
struct ScopedUseTests {
    struct Stop: Error, Equatable {}

    static let insert = SQLStatement("insert", role: .write)

    @Test("withConnection gives back after a return and after a throw")
    func withConnection() async throws {
        let fixture = PoolFixture()
        let number = try await fixture.pool.withConnection { lease in lease.connectionNumber }
        #expect(number == 1)
        await #expect(throws: Stop()) { try await fixture.pool.withConnection { _ in throw Stop() } }
        #expect(fixture.pool.gauges.idle == 1)
        #expect(fixture.driver.books.value.connects == 1)
        try await fixture.closeCleanly()
    }

    @Test("withConnection gives back when its task is cancelled in the middle of a statement")
    func withConnectionCancelled() async throws {
        let fixture = PoolFixture()
        fixture.driver.answerStatements { _, statement in statement == Self.insert ? .hang : .rows(SQLResult()) }
        let task = Task {
            try await fixture.pool.withConnection { lease in _ = try await lease.execute(Self.insert) }
        }
        try await fixture.runtime.untilSleeping(1)
        task.cancel()
        await #expect(throws: DriverError.self) { try await task.value }
        try await fixture.runtime.untilWorkEnds()
        #expect(fixture.pool.gauges == PoolGauges())
        try await fixture.closeCleanly()
    }

    @Test("withTransaction commits on return")
    func commit() async throws {
        let fixture = PoolFixture()
        try await fixture.pool.withTransaction { lease in _ = try await lease.execute(Self.insert) }
        #expect(fixture.driver.connections[0].statements == ["BEGIN", "insert", "COMMIT"])
        #expect(fixture.pool.gauges.idle == 1)
        try await fixture.closeCleanly()
    }

    @Test("withTransaction rolls back on a throw: the connection is reset before anyone else gets it")
    func rollbackOnThrow() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1))
        await #expect(throws: Stop()) {
            try await fixture.pool.withTransaction { lease in
                _ = try await lease.execute(Self.insert)
                throw Stop()
            }
        }
        try await fixture.pool.withConnection { lease in #expect(lease.connection.transactionStatus == .idle) }
        #expect(fixture.driver.connections[0].statements == ["BEGIN", "insert", "reset"])
        try await fixture.closeCleanly()
    }

    @Test("withTransaction does not commit when its task is cancelled, and the caller waits for nothing")
    func rollbackOnCancel() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1))
        let task = Task {
            try await fixture.pool.withTransaction { lease in
                _ = try await lease.execute(Self.insert)
                withUnsafeCurrentTask { $0?.cancel() }
            }
        }
        await #expect(throws: PhasedError.self) { try await task.value }
        try await fixture.eventually { $0.idle == 1 }
        #expect(fixture.driver.connections[0].statements == ["BEGIN", "insert", "reset"])
        try await fixture.closeCleanly()
    }

    @Test("A failed BEGIN and a failed COMMIT say which of them it was", arguments: [OperationPhase.begin, .commit])
    func phases(_ phase: OperationPhase) async throws {
        let fixture = PoolFixture()
        let failure = DriverError(.server(sqlState: "40001"), "serialization failure")
        fixture.driver.answerStatements { _, statement in
            statement.text == phase.rawValue.uppercased() ? .fail(failure) : .rows(SQLResult())
        }
        await #expect(throws: PhasedError(phase: phase, error: failure)) {
            try await fixture.pool.withTransaction { lease in _ = try await lease.execute(Self.insert) }
        }
        fixture.driver.answerStatements { _, _ in .rows(SQLResult()) }
        try await fixture.eventually { $0.idle == 1 }
        try await fixture.closeCleanly()
    }

    @Test("A reset that fails closes the connection")
    func failedReset() async throws {
        let fixture = PoolFixture()
        fixture.driver.answerStatements { _, statement in statement.text == "reset" ? .hang : .rows(SQLResult()) }
        await #expect(throws: Stop()) { try await fixture.pool.withTransaction { _ in throw Stop() } }
        try await fixture.runtime.untilSleeping(1)
        #expect(fixture.pool.gauges.open == 1)
        fixture.runtime.advance(by: fixture.pool.configuration.releaseTimeout)
        try await fixture.runtime.untilWorkEnds()
        #expect(fixture.pool.gauges == PoolGauges())
        try await fixture.closeCleanly()
    }

    @Test("A lease that dies unreleased is reported with the line that borrowed it, and its connection is closed")
    func leaked() async throws {
        let fixture = PoolFixture()
        let line: UInt = #line + 1
        _ = HeldLease(try await fixture.pool.acquire(site: .here()))
        try await fixture.runtime.untilWorkEnds()
        let sites = fixture.observer.told.value.notices.compactMap { notice -> String? in
            if case .leaked(_, let site) = notice { site.description } else { nil }
        }
        #expect(sites == ["ConnectionPoolTests/ScopedUseTests.swift:\(line)"])
        #expect(fixture.pool.gauges == PoolGauges())
        #expect(fixture.driver.books.value.closed == 1)
        try await fixture.closeCleanly()
    }

    @Test("A lease held too long is suspected, listed, and cleared when it comes back: in this order")
    func suspected() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 1, leakThreshold: .seconds(4)))
        let lease = HeldLease(try await fixture.pool.acquire(site: .here()))
        fixture.runtime.advance(by: .seconds(6))
        #expect(fixture.pool.openLeases.map(\.backendPID) == [1_001])
        lease.release()
        let notices = fixture.observer.told.value.notices
        guard notices.count == 2, case .leakSuspected(let suspected, _, _) = notices[0],
            case .leakCleared(let cleared) = notices[1]
        else {
            Issue.record("told \(notices)")
            return
        }
        #expect(suspected == cleared)
        try await fixture.closeCleanly()
    }

    @Test("Notices of one connection come in order, however the threads race")
    func noticesInOrder() async throws {
        let fixture = PoolFixture(PoolConfiguration(maxOpen: 4, leakThreshold: .milliseconds(80)))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<200 {
                        let lease = HeldLease(try await fixture.pool.acquire(site: .here()))
                        for _ in 0..<3 { await Task.yield() }
                        lease.release()
                    }
                }
            }
            group.addTask {
                for _ in 0..<500 {
                    fixture.runtime.advance(by: .milliseconds(40))
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
        try await fixture.closeCleanly()
        var suspected: Set<ConnectionHandle> = []
        for notice in fixture.observer.told.value.notices {
            switch notice {
            case .leakSuspected(let handle, _, _): #expect(suspected.insert(handle).inserted)
            case .leakCleared(let handle): #expect(suspected.remove(handle) != nil)
            case .leaked, .closing: break
            }
        }
        #expect(suspected.isEmpty)
    }
}
