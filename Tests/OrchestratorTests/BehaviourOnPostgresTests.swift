import ConnectionPool
import DatabaseServers
import EventLoop
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

@testable import Orchestrator

/// One connection of a pool on a real server, and what clients do with it.
private struct Bench {
    let pool: InstrumentedPool<PostgresDriver>
    let database: WorkloadDatabase<PostgresDriver>
    let schema: WorkloadSchema

    /// Runs `body` and leaves nothing behind.
    static func with(
        _ run: String, reset: ResetPolicy, maxOpen: Int = 1, maxLifetime: Duration? = nil,
        _ body: (Bench) async throws -> Void
    ) async throws {
        let loop = try EventLoop(name: "test-behaviour")
        defer { loop.shutdown() }
        let driver = PostgresDriver(
            configuration: try PostgresConfiguration(url: try await TestPostgres.shared().url), loop: loop)
        let schema = WorkloadSchema(dialect: .postgres, run: run, statementTime: .milliseconds(1))
        let database = WorkloadDatabase(
            admin: AdminSession(driver: driver), schema: schema, statementLimit: .seconds(600))
        try await database.prepare(RecordingSink(runtime: ManualRuntime()))
        let configuration = PoolConfiguration(
            maxOpen: maxOpen, maxLifetime: maxLifetime, acquireTimeout: .seconds(600), connectTimeout: .seconds(600),
            statementTimeout: .seconds(600), reset: reset)
        let pool = InstrumentedPool(
            pool: Pool(driver: driver, configuration: configuration, runtime: LoopRuntime(loop: loop), seed: 1),
            policy: RetryPolicy(), begin: schema.begin, seed: 1,
            abandonResult: { lease, deadline in
                try await lease.copyOut(PostgresTarget.longResult, deadline: deadline) { _ = try await $0.next() }
            })
        try await body(Bench(pool: pool, database: database, schema: schema))
        #expect(await pool.close() == 0)
        #expect(await database.dropTables().isEmpty)
        await database.admin.close()
    }

    /// Plans one operation, lets a client behave in it, and returns how it went with its notes.
    func use(
        _ operation: any Workloads.Operation, _ number: Int = 1, _ change: (inout UseBehaviour) -> Void = { _ in }
    ) async -> (report: UseReport, value: JSONValue, notes: JSONValue?) {
        var context = OperationContext(
            id: OperationID(worker: 0, sequence: number), generator: SeededGenerator(seed: UInt64(number)),
            schema: schema)
        var planned = operation.plan(&context)
        var behaviour = UseBehaviour()
        behaviour.number = Int64(number)
        change(&behaviour)
        if behaviour != UseBehaviour() { planned.request.behaviour = behaviour }
        let report = await pool.use(planned.request)
        var notes: [JSONValue.Member] = []
        if case .object(let told) = report.completion.notes { notes = told }
        notes += planned.notes?(report.results) ?? []
        return (report, planned.okValue?(report.results) ?? planned.value, .object(notes))
    }

    /// What an inspection finds, by kind.
    func found() async -> [String] {
        let seen = await use(InspectOperation())
        #expect(seen.report.outcome == .ok, "\(seen.report.completion)")
        return (seen.notes?["found"]?.arrayValue ?? []).compactMap { $0["what"]?.stringValue }
    }
}

@Suite(.timeLimit(.minutes(15)))
struct BehaviourOnPostgresTests {
    @Test(
        "A new session has nothing on it; each residue is found by the next borrower, unless the pool cleans it away",
        arguments: Residue.allCases)
    func residueIsFound(_ residue: Residue) async throws {
        let name = "res\(Residue.allCases.firstIndex(of: residue) ?? 0)"
        try await Bench.with("\(name)a", reset: .rollback) { bench in
            #expect(await bench.found() == [])
            let left = await bench.use(AppendOperation()) { $0.residue = [residue] }
            #expect(left.report.outcome == .ok)
            #expect(left.notes?["residue"] == [.string(residue.rawValue)])
            #expect(await bench.found() == [residue.rawValue])
        }
        try await Bench.with("\(name)b", reset: .full) { bench in
            _ = await bench.use(AppendOperation()) { $0.residue = [residue] }
            #expect(await bench.found() == [])
        }
    }

    @Test("A transaction that is left open is rolled back: its row is not there, and the next borrower is in none")
    func abandonedTransaction() async throws {
        try await Bench.with("abandon", reset: .rollback) { bench in
            for operation in [AppendOperation(), AppendTransactionOperation()] as [any Workloads.Operation] {
                let left = await bench.use(operation) { $0.abandons = .transaction }
                #expect(left.report.outcome == .fail)
                #expect(left.report.completion.error?.failureClass == "client-abandoned")
            }
            #expect(await bench.found() == [])
            let rows = try await bench.database.admin.run(
                bench.schema.appendedIDs(limit: 10, offset: 0), within: .seconds(600))
            #expect(rows.rows.isEmpty)
        }
    }

    @Test("An inspection inside an open transaction finds it")
    func openTransactionIsFound() async throws {
        try await Bench.with("open", reset: .rollback) { bench in
            var request = UseRequest(isTransaction: true, isReadOnly: true, site: .here()) { _ in [] }
            var context = OperationContext(
                id: OperationID(worker: 0, sequence: 1), generator: SeededGenerator(seed: 1), schema: bench.schema)
            let inspection = InspectOperation().plan(&context)
            request.steps = inspection.request.steps
            let report = await bench.pool.use(request)
            let found = inspection.notes?(report.results).first?.value
            #expect(found?.arrayValue?.compactMap { $0["what"]?.stringValue } == ["transaction"])
        }
    }

    @Test("A result that is half read does not spoil the connection for the next borrower")
    func abandonedResult() async throws {
        try await Bench.with("half", reset: .rollback) { bench in
            let left = await bench.use(ReadOperation()) { $0.abandons = .result }
            #expect(left.report.outcome == .ok)
            #expect(left.notes?["abandon"] == "result" && left.notes?["echo"] == true)
            let next = await bench.use(ReadOperation(), 2)
            #expect(next.report.outcome == .ok && next.notes?["echo"] == true)
        }
    }

    @Test("Register, listen and slow read do what they say")
    func operations() async throws {
        try await Bench.with("ops", reset: .full, maxOpen: 2) { bench in
            for number in 1...20 {
                let register = await bench.use(RegisterOperation(), number)
                #expect(register.report.outcome == .ok, "\(register.report.completion)")
                #expect(register.value["value"]?.intValue != nil)
            }
            #expect(await bench.use(ListenOperation()).report.outcome == .ok)
            #expect(await bench.found() == [])
            let slow = await bench.use(SlowReadOperation())
            #expect(slow.report.outcome == .ok && slow.notes?["echo"] == true)
            #expect((slow.report.completion.queryNanoseconds ?? 0) >= 1_000_000_000)
        }
    }

    @Test("A register never goes back, even when an old write comes late")
    func lateWrite() async throws {
        try await Bench.with("late", reset: .rollback) { bench in
            for number in [1, 3, 2] {
                let schema = bench.schema
                let request = UseRequest(site: .here()) { _ in [schema.set(register: 5, to: number)] }
                #expect(await bench.pool.use(request).outcome == .ok)
            }
            let schema = bench.schema
            let report = await bench.pool.use(
                UseRequest(isReadOnly: true, site: .here()) { _ in [schema.value(ofRegister: 5, echo: 9)] })
            #expect(report.results.first?.rows == [[.int(3), .int(9)]])
        }
    }

    @Test("A cancel at each moment ends the use, and the pool stays whole", arguments: CancelMoment.allCases)
    func cancels(_ moment: CancelMoment) async throws {
        let name = "cut\(CancelMoment.allCases.firstIndex(of: moment) ?? 0)"
        // Connections do not get old: one is being opened now and then.
        try await Bench.with(name, reset: .full, maxOpen: 2, maxLifetime: .milliseconds(20)) { bench in
            let loop = try EventLoop(name: "test-clients")
            defer { loop.shutdown() }
            let sink = RecordingSink(runtime: ManualRuntime())
            var behaviour = ClientBehaviour()
            behaviour.cancel = ClientBehaviour.Cancel(share: 0.5, at: moment)
            let runner = WorkloadRunner(
                pool: bench.pool, runtime: LoopRuntime(loop: loop), mix: OperationMix([(TransferOperation(), 1)]),
                schema: bench.schema, clients: 6, model: .closed, behaviour: behaviour, seed: 1, epoch: .now,
                sink: sink)
            runner.start()
            try await sink.wait { events in
                events.count { $0.completion?.notes?["cancel"]?["at"]?.stringValue == moment.rawValue } >= 5
            }
            #expect(await runner.stop(within: .seconds(600), grace: .seconds(600)) == 0)
            #expect(bench.pool.gauges.inUse == 0)
            let after = RecordingSink(runtime: ManualRuntime())
            try await bench.database.readFinalState(after)
            let total = after.events.first { $0.function == "final-balances" }?.value["total"]
            #expect(total == JSONValue(bench.schema.accountCount * WorkloadSchema.openingBalance))
        }
    }

    @Test("All connections of a pool under load are had at once")
    func takeAll() async throws {
        try await Bench.with("all", reset: .rollback, maxOpen: 4) { bench in
            #expect(await bench.pool.takeAll(4)?.got == 4)
        }
    }
}
