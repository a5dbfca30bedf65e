import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

/// What one use of our pool comes to: outcome, attempts and times.
@Suite(.timeLimit(.minutes(15)))
struct InstrumentedPoolTests {
    struct Row: CustomTestStringConvertible {
        let testDescription: String
        var policy = RetryPolicy()
        var isIdempotent = false
        var isTransaction = false
        let answers: [FakeDriver.StatementAnswer]
        let outcome: Outcome
        let attempts: [Outcome]
    }

    static let rows = [
        Row(testDescription: "a success needs no list of attempts", answers: [.good], outcome: .ok, attempts: []),
        Row(
            testDescription: "a conflict is tried again", answers: [.conflict, .good], outcome: .ok,
            attempts: [.fail, .ok]),
        Row(
            testDescription: "a lost write is not tried again", answers: [.lost], outcome: .info, attempts: [.info]),
        Row(
            testDescription: "a lost write that may be doubled is tried again", isIdempotent: true,
            answers: [.lost, .good], outcome: .ok, attempts: [.info, .ok]),
        Row(
            testDescription: "one attempt of unknown outcome makes the whole unknown, although the last one failed",
            isIdempotent: true, answers: [.lost, .duplicate], outcome: .info, attempts: [.info, .fail]),
        Row(
            testDescription: "a statement that is refused for what it says fails", answers: [.duplicate],
            outcome: .fail, attempts: [.fail]),
        Row(
            testDescription: "attempts end", policy: RetryPolicy(maxAttempts: 3),
            answers: [.conflict, .conflict, .conflict], outcome: .fail, attempts: [.fail, .fail, .fail]),
        Row(
            testDescription: "without retries one failure is all", policy: RetryPolicy(mode: .none),
            answers: [.conflict], outcome: .fail, attempts: [.fail]),
        Row(
            testDescription: "the blind policy repeats a write that may have happened",
            policy: RetryPolicy(mode: .blind),
            answers: [.lost, .good], outcome: .ok, attempts: [.info, .ok]),
        Row(
            testDescription: "a transaction lost before COMMIT is tried again as a whole", isTransaction: true,
            answers: [.good, .lost, .good, .good, .good], outcome: .ok, attempts: [.fail, .ok]),
        Row(
            testDescription: "a lost BEGIN is tried again", isTransaction: true, answers: [.lost], outcome: .ok,
            attempts: [.fail, .ok]),
        Row(
            testDescription: "a lost COMMIT is unknown", isTransaction: true, answers: [.good, .good, .lost],
            outcome: .info, attempts: [.info]),
        Row(
            testDescription: "a refused COMMIT is tried again", isTransaction: true,
            answers: [.good, .good, .conflict], outcome: .ok, attempts: [.fail, .ok]),
    ]

    @Test("What a use comes to", arguments: rows)
    func outcome(_ row: Row) async throws {
        let fixture = WorkloadFixture(policy: row.policy)
        let rest = Watched(row.answers)
        fixture.driver.answerStatements { _, statement in
            if ["reset", "check", "close"].contains(statement.text) { return .good }
            return rest.change { $0.isEmpty ? .good : $0.removeFirst() }
        }
        let report = try await fixture.use(
            .write(.insert, idempotent: row.isIdempotent, transaction: row.isTransaction))
        #expect(report.outcome == row.outcome)
        let attempts = report.completion.attempts
        #expect(attempts.map(\.outcome) == row.attempts)
        #expect(attempts.map(\.number) == Array(attempts.indices.map { $0 + 1 }))
        #expect((report.completion.error == nil) == (row.outcome == .ok))
        // A pause follows each attempt but the last.
        #expect(attempts.dropLast().allSatisfy { $0.delayNanoseconds != nil && $0.error != nil })
        #expect(attempts.last?.delayNanoseconds == nil)
        #expect(attempts.allSatisfy { $0.isIdempotent == row.isIdempotent })
        #expect(report.completion.attempt == max(1, attempts.count))
        #expect(rest.value.isEmpty)
        // What was left open is rolled back before anyone else gets it.
        try await fixture.expectCleanClose()
    }

    @Test("A pause between two steps keeps the connection, and is no time of a query")
    func pause() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        fixture.answer()
        var request = UseRequest(site: .here()) { _ in
            ["first", "second"].map { SQLStatement($0, role: .write) }
        }
        request.pause = .seconds(1)
        let paused = request
        let use = Task { await fixture.pool.use(paused) }
        while fixture.driver.connections.first?.statements != ["first"] { await Task.yield() }
        try await fixture.runtime.untilWorkEnds()
        #expect(fixture.driver.connections[0].statements == ["first"])
        #expect(fixture.pool.gauges.inUse == 1)
        fixture.runtime.advance(by: .seconds(1))
        let report = await use.value
        #expect(report.outcome == .ok)
        #expect(fixture.driver.connections[0].statements == ["first", "second"])
        try await fixture.expectCleanClose()
    }

    @Test("Each attempt of a use runs its own steps")
    func stepsKnowTheirAttempt() async throws {
        // The fixture's time goes on while a busy machine does not: no check comes between two attempts.
        var configuration = PoolConfiguration(maxOpen: 1)
        configuration.checkAfterIdle = .seconds(3600)
        let fixture = WorkloadFixture(configuration)
        fixture.answer(.conflict, .conflict)
        let request = UseRequest(site: .here()) { [SQLStatement("attempt \($0)", role: .write)] }
        #expect(try await fixture.use(request).outcome == .ok)
        #expect(fixture.driver.connections[0].statements == ["attempt 1", "attempt 2", "attempt 3"])
        let retries = fixture.pool.metrics().first { $0.key == "retries" }
        #expect(retries?.value == 2)
        try await fixture.expectCleanClose()
    }

    @Test("An acquire that times out is a failure of the acquire, without a connection, and is not tried again")
    func acquireTimeout() async throws {
        let fixture = WorkloadFixture()
        fixture.driver.answerConnects { _ in .fail(.refused) }
        let use = Task { await fixture.pool.use(.write(.insert)) }
        while fixture.pool.gauges.waiting == 0 || fixture.driver.books.value.connects == 0 { await Task.yield() }
        try await fixture.runtime.untilWorkEnds()
        fixture.runtime.advance(by: .seconds(2))
        let report = await use.value
        #expect(report.outcome == .fail)
        #expect(report.completion.error?.phase == .acquire)
        #expect(report.completion.error?.failureClass == "timed-out")
        #expect(report.completion.error?.message.contains("connection refused") == true)
        #expect(report.completion.attempt == 0)
        #expect(report.completion.connection == nil)
        #expect(report.completion.acquireNanoseconds == 2_000_000_000)
        #expect(report.completion.leasedAt == nil && report.completion.returnedAt == nil)
        #expect(report.completion.queryNanoseconds == nil)
        try await fixture.expectCleanClose()
    }

    @Test(
        "The longest call of each sort is reported, BEGIN and COMMIT among them",
        arguments: ["BEGIN", "insert", "COMMIT"])
    func times(_ slow: String) async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1, statementTimeout: .milliseconds(700)))
        fixture.driver.answerStatements { _, statement in statement.text == slow ? .hang : .good }
        let task = Task { await fixture.pool.use(.write(.insert, transaction: true)) }
        try await fixture.runtime.untilSleeping(1)
        fixture.runtime.advance(by: .milliseconds(700))
        let report = await task.value
        #expect(report.completion.queryNanoseconds == 700_000_000)
        #expect(report.completion.acquireNanoseconds == 0)
        #expect(report.completion.releaseNanoseconds == 0)
        #expect(report.completion.connection == 1)
        #expect(report.completion.backendPID == 1_001)
        // On the clock of the runtime: who records counts from the run's start.
        let (leased, returned) = (report.completion.leasedAt, report.completion.returnedAt)
        #expect(returned.flatMap { returned in leased.map { returned - $0 } } == 700_000_000)
        #expect(returned == Int64(fixture.runtime.now.nanoseconds))
        #expect(report.outcome == (slow == "COMMIT" ? .info : .fail))
        try await fixture.expectCleanClose()
    }

    @Test("A use that is cancelled in its pause ends, and claims no further attempt")
    func cancelledInThePause() async throws {
        let fixture = WorkloadFixture()
        fixture.answer(.conflict)
        let task = Task { await fixture.pool.use(.write(.insert)) }
        try await fixture.runtime.untilSleeping(1)
        task.cancel()
        let report = await task.value
        #expect(report.outcome == .fail)
        #expect(report.completion.attempts.map(\.delayNanoseconds) == [nil])
        try await fixture.expectCleanClose()
    }

    @Test("A leak keeps its lease, is listed with the line in LeakOperation.swift, suspected, and cut by the close")
    func leak() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 2, leakThreshold: .seconds(3)))
        var context = OperationContext(
            id: OperationID(worker: 0, sequence: 1), generator: SeededGenerator(seed: 1),
            schema: WorkloadSchema(dialect: .sqlite, run: "t", statementTime: .zero))
        let report = await fixture.pool.use(LeakOperation().plan(&context).request)
        #expect(report.outcome == .ok)
        #expect(report.completion.connection == 1)
        #expect(report.completion.leasedAt != nil && report.completion.returnedAt == nil)
        fixture.runtime.advance(by: .seconds(4))
        let leases = try #require(fixture.pool.openLeases().arrayValue)
        #expect(leases.count == 1)
        let site = try #require(leases.first?["site"]?.stringValue)
        #expect(site.hasPrefix("Workloads/LeakOperation.swift:"))
        #expect(leases.first?["pid"] == 1_001)
        #expect(leases.first?["held_ns"] == 4_000_000_000)
        let suspected = fixture.sink.events(of: .pool).filter { $0.function == "leak-suspected" }
        #expect(suspected.map { $0.value["site"]?.stringValue } == [site])
        try await fixture.expectCleanClose(cutting: 1)
    }

    @Test("What the pool says about itself is in the words of the history")
    func poolEvents() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        fixture.driver.answerConnects { number in number == 1 ? .fail(.refused) : .succeed }
        #expect(try await fixture.use(.write(.insert)).outcome == .ok)
        try await fixture.expectCleanClose()
        let events = fixture.sink.events(of: .pool)
        #expect(events.map(\.function) == ["connect-failed", "connection-opened", "connection-closed"])
        #expect(events[0].value == ["code": .null, "message": "connect-failed: connection refused"])
        #expect(events[1].value["conn"] == 2)
        #expect(events[1].value["pid"] == 1_002)
        #expect(events[2].value == ["conn": 2, "pid": 1_002, "reason": "pool-closed"])
        #expect(events.allSatisfy { $0.kind == .info })
    }
}
