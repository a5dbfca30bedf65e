import RigModel
import RigTestSupport
import Testing
import Threading

@testable import ConnectionPool

@Suite("Statement shapes")
struct StatementShapeTests {
    struct Row: CustomTestStringConvertible {
        let text: String
        let shape: String
        var testDescription: String { text }
    }

    @Test(
        "Values go, structure stays",
        arguments: [
            Row(text: "SELECT * FROM T\n WHERE id = 42 ", shape: "select * from t where id = ?"),
            Row(text: "select * from t where id=$1", shape: "select * from t where id=?"),
            Row(text: "select 'it''s', E'a\\'b', \"Name\"", shape: "select ?, \"Name\""),
            Row(text: "where id in (1, 2,3)", shape: "where id in (?)"),
            Row(text: "where id in ( $1 )", shape: "where id in (?)"),
            Row(text: "insert into t values ($1,$2),($3,$4)", shape: "insert into t values (?)"),
            Row(text: "select 1.5e-3 + 0xFF, t1.c2", shape: "select ? + ?, t1.c2"),
            Row(text: "select a -- one\n, b /* two /* nested */ */ from t", shape: "select a , b from t"),
            Row(text: "select $$it's$$, $x$ 1 $$ $x$ from t", shape: "select ? from t"),
            Row(text: "select a from t where n > -5", shape: "select a from t where n > -?"),
            Row(text: "select 'open", shape: "select ?"),
            Row(text: "", shape: ""),
        ])
    func shapes(_ row: Row) { #expect(StatementShape.of(row.text) == row.shape) }
}

@Suite("Watching", .timeLimit(.minutes(15)))
struct WatchingTests {
    private static let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    @Test("A rate limit lets a burst through, and then one for each interval")
    func rateLimit() {
        var limit = RateLimit(burst: 2, interval: .seconds(1), now: Self.start)
        func allowed(_ milliseconds: Int...) -> [Bool] {
            milliseconds.map { limit.allow(now: Self.start.advanced(by: .milliseconds($0))) }
        }
        #expect(allowed(0, 0) == [true, true])
        #expect(allowed(999, 1_000, 1_999, 2_000) == [false, true, false, true])
        #expect(allowed(100_000, 100_000, 100_000) == [true, true, false])
    }

    @Test("A stream keeps the newest events, counts what it dropped, and ends")
    func boundedStream() async {
        let hub = PoolEventHub(runtime: ManualRuntime())
        let site = BorrowSite.here()
        #expect(hub.interest == [])
        let stream = hub.events(buffer: 3)
        #expect(hub.interest == .leases)
        for index in 0..<10 {
            hub.leaseBegan(LeaseObservation(connection: index, backendPID: nil, site: site, at: Self.start))
        }
        hub.finish()
        #expect(hub.interest == [])
        var seen: [Int?] = []
        for await event in stream { seen.append(event.connection) }
        #expect(seen == [7, 8, 9])
        #expect(stream.droppedCount == 7)
    }

    @Test("A dropped stream is not kept, and nobody listens then")
    func droppedStream() {
        let hub = PoolEventHub(runtime: ManualRuntime())
        var stream: PoolEventStream? = hub.events()
        withExtendedLifetime(stream) { #expect(hub.interest == .leases) }
        stream = nil
        #expect(stream == nil)
        #expect(hub.interest == [])
    }

    @Test("A reader that waits gets what comes, and ends when it is cancelled")
    func waitingReader() async throws {
        let hub = PoolEventHub(runtime: ManualRuntime())
        let stream = hub.events()
        let got = Watched(0)
        let reader = Task {
            for await _ in stream { got.change { $0 += 1 } }
        }
        hub.acquireBegan(.here(), at: Self.start)
        try await got.wait { $0 == 1 }
        hub.acquireBegan(.here(), at: Self.start)
        try await got.wait { $0 == 2 }
        reader.cancel()
        await reader.value
        #expect(stream.droppedCount == 0)
    }

    @Test("The life of a connection is told in order: connect, acquire, grant, lost, release, close")
    func lifeInOrder() async throws {
        let runtime = ManualRuntime()
        let driver = FakeDriver(runtime: runtime)
        let hub = PoolEventHub(runtime: runtime)
        let stream = hub.events()
        let pool = Pool(
            driver: driver, configuration: PoolConfiguration(maxOpen: 1), runtime: runtime, seed: 1, observer: hub,
            watcher: hub)
        try await pool.withConnection { lease in
            _ = try await lease.execute(SQLStatement("select", role: .read))
            driver.connections[0].kill()
            await #expect(throws: DriverError.self) { try await lease.execute(SQLStatement("select", role: .read)) }
        }
        #expect(await pool.close() == 0)
        await #expect(throws: PoolError.closed) { try await pool.acquire(site: .here()).release() }
        hub.finish()
        var kinds: [PoolEvent.Kind] = []
        for await event in stream { kinds.append(event.kind) }
        #expect(
            kinds == [
                .acquiring, .connected(took: .zero), .granted, .lost(.lost), .released(.unusable), .closing(.lost),
                .acquiring, .refused(.closed),
            ])
    }

    @Test("Repetitions inside one lease are reported once, at its end, with their number")
    func repeatedInLease() async throws {
        let runtime = ManualRuntime()
        let reports = Watched<[RepeatedQuery]>([])
        let detector = RepeatedQueryDetector(limit: 3) { repeated in reports.change { $0.append(repeated) } }
        let pool = Pool(
            driver: FakeDriver(runtime: runtime), configuration: PoolConfiguration(maxOpen: 1), runtime: runtime,
            seed: 1, watcher: detector)
        let line: UInt = #line + 1
        try await pool.withConnection { lease in
            for id in 0..<5 { _ = try await lease.execute(SQLStatement("select \(id)", role: .read)) }
            for _ in 0..<3 { _ = try await lease.execute(SQLStatement("update t", role: .write)) }
            #expect(reports.value.isEmpty)
        }
        #expect(reports.value.map(\.shape) == ["select ?"])
        #expect(reports.value.first?.count == 5)
        #expect(reports.value.first?.site.line == line)
        // The next lease of the same connection begins at 0, and a batch is no repetition.
        try await pool.withConnection { lease in
            for id in 0..<3 { _ = try await lease.execute(SQLStatement("select \(id)", role: .read)) }
            let batch = (0..<10).map { SQLStatement("select \($0)", role: .read) }
            _ = await lease.execute(batch: batch, atomicity: .independent)
        }
        #expect(reports.value.count == 1)
        #expect(await pool.close() == 0)
    }

    @Test("Repetitions over many leases are found inside a unit of work, child tasks included")
    func repeatedInUnitOfWork() async throws {
        let runtime = ManualRuntime()
        let reports = Watched<[RepeatedQuery]>([])
        let detector = RepeatedQueryDetector(limit: 3) { repeated in reports.change { $0.append(repeated) } }
        let pool = Pool(
            driver: FakeDriver(runtime: runtime), configuration: PoolConfiguration(maxOpen: 2), runtime: runtime,
            seed: 1, watcher: detector)
        let ask: @Sendable (Int) async throws -> Void = { id in
            try await pool.withConnection { lease in
                _ = try await lease.execute(SQLStatement("select \(id)", role: .read))
            }
        }
        for id in 0..<10 { try await ask(id) }
        #expect(reports.value.isEmpty)
        try await UnitOfWork.run("GET /users") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 0..<10 { group.addTask { try await ask(id) } }
                try await group.waitForAll()
            }
        }
        #expect(reports.value.map(\.count) == [10])
        #expect(reports.value.map(\.unitOfWork) == ["GET /users"])
        #expect(await pool.close() == 0)
    }

    @Test("The statistics line shows the moment, and what the interval brought")
    func statisticsLine() {
        var before = PoolMetrics()
        before.acquireCount = 100
        var now = before
        now.acquireCount = 350
        now.maxOpenConnections = 10
        now.gauges.open = 7
        now.gauges.inUse = 2
        now.acquireTimeouts = 1
        let line = StatisticsLine.text(
            before: before, now: now, interval: .seconds(10), statements: StatementCacheCounts(hits: 3, misses: 1))
        #expect(
            line.hasPrefix("open=7 idle=0 in_use=2 connecting=0 waiting=0 max=10 acquired=250 acquired_per_s=25.0 "))
        #expect(line.contains(" timeouts=1 "))
        #expect(line.hasSuffix(" statement_reuse=0.75"))
        #expect(!line.contains("\n"))
    }

    @Test("The statistics line comes every interval, until it is stopped")
    func statisticsReporter() async throws {
        let runtime = ManualRuntime()
        let pool = Pool(
            driver: FakeDriver(runtime: runtime), configuration: PoolConfiguration(maxOpen: 1), runtime: runtime,
            seed: 1)
        let lines = Watched<[String]>([])
        let reporter = StatisticsReporter(of: pool, every: .seconds(10)) { line in lines.change { $0.append(line) } }
        for count in 1...3 {
            try await runtime.untilSleeping(1)
            runtime.advance(by: .seconds(10))
            try await lines.wait { $0.count == count }
        }
        await reporter.stop()
        #expect(lines.value.count == 3)
        #expect(await pool.close() == 0)
        try await runtime.untilWorkEnds()
    }
}
