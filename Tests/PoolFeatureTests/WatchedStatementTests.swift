import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

extension FeatureTests {
    /// Repeated statements and the statistics line, on real databases.
    @Suite("Watched statements")
    struct WatchedStatementTests {
        private static func detector(_ reports: Watched<[RepeatedQuery]>) -> RepeatedQueryDetector {
            RepeatedQueryDetector(limit: 10) { repeated in reports.change { $0.append(repeated) } }
        }

        @Test("A lookup for each row of another query is found; a join, ten lookups, and a batch are not")
        func repeatedQueries() async throws {
            let reports = Watched<[RepeatedQuery]>([])
            try await FeatureFixture.with(watch: { _ in (nil, Self.detector(reports)) }) { fixture in
                try await fixture.ask("INSERT INTO \(fixture.table) SELECT n, n FROM generate_series(1, 11) n")
                @Sendable func lookUp(_ count: Int64, _ lease: borrowing Lease<PostgresDriver>) async throws {
                    for id in 1...count {
                        // With literals: each text is another one, their shape is not.
                        _ = try await lease.execute(
                            SQLStatement("SELECT v FROM \(fixture.table) WHERE id = \(id)", role: .read))
                    }
                }
                try await fixture.pool.withConnection { lease in try await lookUp(11, lease) }
                #expect(reports.value.map(\.count) == [11])
                #expect(reports.value.map(\.shape) == ["select v from \(fixture.table) where id = ?"])
                #expect((reports.value.first?.nanoseconds ?? 0) > 0)
                try await fixture.pool.withConnection { lease in
                    try await lookUp(10, lease)
                    _ = try await lease.execute(
                        SQLStatement(
                            "SELECT a.v FROM \(fixture.table) a JOIN \(fixture.table) b USING (id)", role: .read))
                    let batch = (0..<20).map { SQLStatement("SELECT \($0)", role: .read) }
                    _ = await lease.execute(batch: batch, atomicity: .independent)
                }
                #expect(reports.value.count == 1)
                // Over many leases only a unit of work shows it.
                try await UnitOfWork.run("GET /orders") {
                    for _ in 1...11 { try await fixture.pool.withConnection { lease in try await lookUp(1, lease) } }
                }
                #expect(reports.value.count == 2)
                #expect(reports.value.last?.unitOfWork == "GET /orders")
            }
        }

        @Test("A slow-query log, a detector of repeated statements and an event stream watch one pool together")
        func together() async throws {
            let reports = Watched<[RepeatedQuery]>([])
            let slow = Watched<[SlowQuery]>([])
            var stream: PoolEventStream?
            var hub: PoolEventHub?
            try await FeatureFixture.with(
                maxOpen: 1,
                watch: { runtime in
                    let events = PoolEventHub(runtime: runtime)
                    (hub, stream) = (events, events.events())
                    let log = SlowQueryLog(threshold: .zero, runtime: runtime) { query in
                        slow.change { $0.append(query) }
                    }
                    return (events, WatcherList([events, log, Self.detector(reports)]))
                }
            ) { fixture in
                try await fixture.pool.withConnection { lease in
                    for _ in 1...11 { _ = try await lease.execute(SQLStatement("SELECT 1", role: .read)) }
                }
            }
            hub?.finish()
            #expect(reports.value.map(\.count) == [11])
            try await slow.wait { $0.count == 11 }
            var granted = 0
            for await event in try #require(stream) where event.kind == .granted { granted += 1 }
            #expect(granted == 1)
        }

        @Test("The statistics line of a working pool: figures of the interval, reuse of statements, hits of the cache")
        func statisticsLine() async throws {
            try await FeatureFixture.with(maxOpen: 1) { fixture in
                let lines = Watched<[String]>([])
                let cache = ResultCache(maxBytes: 1 << 20)
                let reporter = StatisticsReporter(of: fixture.pool, every: .milliseconds(20), cache: cache) { line in
                    lines.change { $0.append(line) }
                }
                let read = SQLStatement("SELECT count(*) FROM \(fixture.table)", role: .read)
                for _ in 0..<4 {
                    _ = try await fixture.pool.cachedRead(read, in: cache, timeToLive: .seconds(600))
                }
                for _ in 0..<19 { try await fixture.pool.run("SELECT 1 + 1", role: .read) }
                for _ in 0..<20 { try await fixture.pool.run("SELECT 1 + 2", role: .read) }
                try await lines.wait { $0.contains { $0.hasSuffix("cache_hit_rate=0.75") } }
                // 40 statements with 3 texts; a text is prepared when it comes for the second time.
                try await lines.wait { $0.contains { $0.contains(" statement_reuse=0.875 ") } }
                await reporter.stop()
                let acquired = lines.value.compactMap { Self.figure("acquired", in: $0) }.reduce(0, +)
                #expect(acquired == 40)
                let last = try #require(lines.value.last)
                #expect(Self.figure("open", in: last) == 1)
                #expect(Self.figure("max", in: last) == 1)
                #expect(lines.value.allSatisfy { (0...1).contains(Self.figure("utilisation", in: $0) ?? -1) })
            }
        }

        private static func figure(_ name: String, in line: String) -> Double? {
            line.split(separator: " ").first { $0.hasPrefix("\(name)=") }
                .flatMap { Double($0.dropFirst(name.count + 1)) }
        }
    }
}
