import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Workloads

/// What our pool is made to bear by a client's behaviour, on manual time.
@Suite(.timeLimit(.minutes(15)))
struct BehaviourTests {
    private func request(
        transaction: Bool = false, _ change: (inout UseBehaviour) -> Void
    ) -> UseRequest {
        var request = UseRequest.write(.insert, transaction: transaction)
        var behaviour = UseBehaviour()
        change(&behaviour)
        request.behaviour = behaviour
        return request
    }

    @Test("A client that throws before COMMIT has done nothing; one that throws after a statement of its own has")
    func throwing() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        fixture.answer()
        let inside = try await fixture.use(request(transaction: true) { $0.throwsInside = true })
        #expect(inside.outcome == .fail)
        #expect(inside.completion.error?.failureClass == "client-threw")
        #expect(inside.completion.attempts.count == 1)
        #expect(inside.completion.notes == ["throw": true])
        let outside = try await fixture.use(request { $0.throwsInside = true })
        #expect(outside.outcome == .ok && outside.completion.notes == ["throw": true])
        #expect(!fixture.driver.connections[0].statements.contains("COMMIT"))
        try await fixture.expectCleanClose()
    }

    @Test("A transaction that is left open fails as a whole, and is not committed")
    func abandonedTransaction() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        fixture.answer()
        let report = try await fixture.use(request(transaction: true) { $0.abandons = .transaction })
        #expect(report.outcome == .fail)
        #expect(report.completion.error?.failureClass == "client-abandoned")
        #expect(report.completion.notes == ["abandon": "transaction"])
        #expect(fixture.driver.connections[0].statements.prefix(2) == ["BEGIN", "insert"])
        #expect(!fixture.driver.connections[0].statements.contains("COMMIT"))
        try await fixture.expectCleanClose()
    }

    @Test("A lost statement in a transaction that is left open did not happen")
    func abandonedTransactionLost() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1), policy: RetryPolicy(mode: .none))
        fixture.answer(.good, .lost)
        let report = try await fixture.use(request { $0.abandons = .transaction })
        #expect(report.outcome == .fail)
        try await fixture.expectCleanClose()
    }

    @Test("A nested borrower takes a second connection, and gives it back")
    func nested() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 2))
        fixture.answer()
        let report = try await fixture.use(request { $0.isNested = true })
        #expect(report.outcome == .ok && report.completion.notes == ["nested": true])
        #expect(fixture.driver.connections.map(\.statements) == [["insert"], ["SELECT 1"]])
        try await fixture.expectCleanClose()
    }

    @Test("A nested borrower that gets no second connection goes on with its first")
    func nestedInVain() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        fixture.answer()
        let report = try await fixture.use(request { $0.isNested = true })
        #expect(report.outcome == .ok)
        #expect(fixture.driver.connections[0].statements == ["insert"])
        try await fixture.expectCleanClose()
    }

    @Test("What is left on the connection is told, but for what could not be left")
    func residue() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        fixture.answer(.good, .good, .duplicate)
        let report = try await fixture.use(request { $0.residue = [.settings, .role, .listen] })
        #expect(report.outcome == .ok)
        #expect(report.completion.notes == ["residue": ["settings", "listen"]])
        try await fixture.expectCleanClose()
    }

    @Test("A connection is held for as long as it was drawn, and that is no time of a query")
    func hold() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 1))
        fixture.answer()
        let held = request { $0.hold = .seconds(3) }
        let use = Task { await fixture.pool.use(held) }
        while fixture.driver.connections.first?.statements != ["insert"] { await Task.yield() }
        try await fixture.runtime.untilSleeping(1)
        #expect(fixture.pool.gauges.inUse == 1)
        fixture.runtime.advance(by: .seconds(3))
        let report = await use.value
        #expect(report.completion.notes == ["held_ns": 3_000_000_000])
        #expect(report.completion.queryNanoseconds == 0)
        try await fixture.expectCleanClose()
    }

    @Test(
        "A cancel comes in its moment, and is told with how long the call took to end",
        arguments: [CancelMoment.queue, .begin, .query, .commit, .result, .release])
    func cancel(_ moment: CancelMoment) async throws {
        let fixture = WorkloadFixture(
            PoolConfiguration(maxOpen: 1, acquireTimeout: .seconds(900), statementTimeout: .seconds(900)))
        let slow: [CancelMoment: String] = [.begin: "BEGIN", .query: "insert", .commit: "COMMIT"]
        fixture.driver.answerStatements { _, statement in statement.text == slow[moment] ? .hang : .good }
        if moment == .queue { fixture.driver.answerConnects { _ in .hang } }
        var behaviour = ClientBehaviour()
        behaviour.cancel = ClientBehaviour.Cancel(share: 1, at: moment)
        let runner = fixture.runner(OperationMix([(TransactionOfInsert(), 1)]), clients: 1, behaviour: behaviour)
        runner.start()
        while !fixture.sink.events.contains(where: { $0.completion?.notes?["cancel"] != nil }) {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(1))
            await Task.yield()
        }
        let ended = try #require(fixture.sink.events.first { $0.completion?.notes?["cancel"] != nil })
        let note = try #require(ended.completion?.notes?["cancel"])
        #expect(note["at"]?.stringValue == moment.rawValue)
        #expect((note["took_ns"]?.intValue ?? -1) >= 0)
        #expect(note["returned"]?.boolValue == (ended.kind == .ok ? true : nil))
        let kinds: [CancelMoment: Event.Kind] = [.release: .ok, .commit: .info]
        #expect(ended.kind == kinds[moment] ?? .fail)
        let stop = Task { await runner.stop(within: .zero, grace: .seconds(900)) }
        while fixture.runtime.runningCount > 0 {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(1))
            await Task.yield()
        }
        #expect(await stop.value == 0)
        try await fixture.expectCleanClose()
    }

    @Test("All connections are asked for at once, held until they are there, and given back")
    func takeAll() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 3))
        fixture.answer()
        let done = Watched<(got: Int, took: Duration)?>(nil)
        let task = Task { [pool = fixture.pool] in
            let answer = await pool.takeAll(3)
            done.change { $0 = answer }
        }
        while done.value == nil {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(1))
            await Task.yield()
        }
        await task.value
        #expect(done.value?.got == 3)
        #expect(fixture.pool.gauges.inUse == 0)
        try await fixture.expectCleanClose()
    }

    @Test("Where one is missing those that are there are given back at the acquire timeout, and counted")
    func takeAllInVain() async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 2))
        var context = OperationContext(
            id: OperationID(worker: 0, sequence: 1), generator: SeededGenerator(seed: 1),
            schema: WorkloadSchema(dialect: .sqlite, run: "t", statementTime: .zero))
        #expect(await fixture.pool.use(LeakOperation().plan(&context).request).outcome == .ok)
        let done = Watched<Int?>(nil)
        let task = Task { [pool = fixture.pool] in
            let answer = await pool.takeAll(2)
            done.change { $0 = answer?.got ?? -1 }
        }
        while done.value == nil {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(10))
            await Task.yield()
        }
        await task.value
        #expect(done.value == 1)
        try await fixture.expectCleanClose(cutting: 1)
    }

    @Test(
        "After a quiet time, or the better half of one, the pool is used once, alone, before the load comes back",
        arguments: [1_000, 200])
    func loneUse(_ length: Int64) async throws {
        let fixture = WorkloadFixture(PoolConfiguration(maxOpen: 4))
        fixture.answer()
        var behaviour = ClientBehaviour()
        behaviour.quiet = ClientBehaviour.Window(every: .seconds(2), duration: .milliseconds(length))
        let runner = fixture.runner(
            OperationMix([(AppendOperation(), 1)]), clients: 2,
            model: .open(ratePerSecond: 50, maxLag: .seconds(900)), behaviour: behaviour)
        runner.start()
        while fixture.sink.events.last.map({ $0.time < 5_000_000_000 }) ?? true {
            try Task.checkCancellation()
            // Two clients, the keeper of the quiet times, and who tells what is dropped: everybody has seen the time before it
            // moves on.
            try await fixture.runtime.untilSleeping(4)
            fixture.runtime.advance(by: .milliseconds(1))
        }
        let stop = Task { await runner.stop(within: .seconds(900), grace: .seconds(900)) }
        while fixture.runtime.runningCount > 0 {
            try Task.checkCancellation()
            fixture.runtime.advance(by: .milliseconds(1))
            await Task.yield()
        }
        #expect(await stop.value == 0)
        let lone = try #require(fixture.sink.events.first { $0.function == "lone-use" })
        #expect(lone.process == .probe && lone.value["outcome"] == "ok")
        let begin = (lone.time - (lone.value["took_ns"]?.intValue ?? 0)) % 2_000_000_000
        #expect(begin >= length * 500_000 && begin < length * 1_000_000, "\(begin)")
        #expect((lone.value["quiet_ns"]?.intValue ?? 0) >= length * 500_000)
        // Nothing was under way then.
        let before = fixture.sink.events.prefix(lone.index)
        #expect(before.count { $0.kind == .invoke } == before.count { $0.completion != nil })
        try await fixture.expectCleanClose()
    }
}

/// An insert in a transaction, of the test's own words.
private struct TransactionOfInsert: Workloads.Operation {
    static let shape = Shape(name: "insert", summary: "")
    init() {}
    func plan(_ context: inout OperationContext) -> PlannedOperation {
        PlannedOperation(value: .null, request: .write(.insert, transaction: true))
    }
}
