import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading
import Workloads

/// An instrumented pool on manual time, over a driver that does what the test says.
struct WorkloadFixture {
    let runtime = ManualRuntime()
    let driver: FakeDriver
    let sink: RecordingSink
    let pool: InstrumentedPool<FakeDriver>
    let configuration: PoolConfiguration
    /// When the sink's times begin.
    let epoch: MonotonicInstant

    init(_ configuration: PoolConfiguration = PoolConfiguration(maxOpen: 2), policy: RetryPolicy = RetryPolicy()) {
        self.configuration = configuration
        driver = FakeDriver(runtime: runtime)
        epoch = runtime.now
        sink = RecordingSink(runtime: runtime)
        pool = InstrumentedPool(
            pool: Pool(
                driver: driver, configuration: configuration, runtime: runtime, seed: 1,
                observer: PoolEventRecorder(sink: sink)),
            policy: policy, begin: SQLStatement("BEGIN", role: .begin), seed: 1)
    }

    /// Answers the nth statement of the workload with the nth answer, and all later ones with no rows. Resets and checks are
    /// answered well.
    func answer(_ answers: FakeDriver.StatementAnswer...) {
        let rest = Watched(answers)
        driver.answerStatements { _, statement in
            if ["reset", "check", "close"].contains(statement.text) { return .rows(SQLResult()) }
            return rest.change { $0.isEmpty ? .rows(SQLResult()) : $0.removeFirst() }
        }
    }

    /// Does one use, letting time pass over the pauses between its attempts.
    func use(_ request: UseRequest) async throws -> UseReport {
        let task = Task { await pool.use(request) }
        let isDone = Watched(false)
        let watcher = Task {
            _ = await task.value
            isDone.change { $0 = true }
        }
        while !isDone.value {
            try Task.checkCancellation()
            runtime.advance(by: .milliseconds(1))
            await Task.yield()
        }
        await watcher.value
        return await task.value
    }

    func runner(
        _ mix: OperationMix, clients: Int, model: WorkloadRunner.Model = .closed, pool: (any PoolUnderTest)? = nil,
        behaviour: ClientBehaviour = ClientBehaviour()
    ) -> WorkloadRunner {
        WorkloadRunner(
            pool: pool ?? self.pool, runtime: runtime, mix: mix,
            schema: WorkloadSchema(dialect: .sqlite, run: "t", statementTime: .zero), clients: clients, model: model,
            behaviour: behaviour, seed: 1, epoch: epoch, sink: sink)
    }

    func expectCleanClose(cutting cuts: Int = 0, _ location: SourceLocation = #_sourceLocation) async throws {
        let close = Task { await pool.close() }
        if cuts > 0 {
            try await sink.wait { _ in true }
            while pool.gauges.inUse > 0 {
                runtime.advance(by: .seconds(1))
                await Task.yield()
            }
        }
        #expect(await close.value == cuts, sourceLocation: location)
        try await runtime.untilWorkEnds()
        #expect(pool.gauges == PoolGauges(), sourceLocation: location)
        #expect(driver.books.value.violations == [], sourceLocation: location)
        #expect(driver.books.value.open.isEmpty, sourceLocation: location)
    }
}

extension UseRequest {
    static func write(_ statements: SQLStatement..., idempotent: Bool = false, transaction: Bool = false) -> UseRequest
    {
        UseRequest(isTransaction: transaction, isIdempotent: idempotent, site: .here()) { _ in statements }
    }
}

extension SQLStatement {
    static let insert = SQLStatement("insert", role: .write)
}

extension FakeDriver.StatementAnswer {
    static let good = FakeDriver.StatementAnswer.rows(SQLResult())
    static let lost = FakeDriver.StatementAnswer.fail(.lost)
    static let conflict = FakeDriver.StatementAnswer.fail(DriverError(.server(sqlState: "40001"), "conflict"))
    static let duplicate = FakeDriver.StatementAnswer.fail(DriverError(.server(sqlState: "23505"), "duplicate key"))
}
