import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

extension FeatureTests {
    /// The slow-query log on a real server, with plans.
    @Suite("Slow-query log")
    struct SlowQueryLogTests {
        private func withLog(
            threshold: Duration, plansPerMinute: Int = 100,
            _ body: (FeatureFixture, Watched<[SlowQuery]>) async throws -> Void
        ) async throws {
            let written = Watched<[SlowQuery]>([])
            var log: SlowQueryLog?
            try await FeatureFixture.with(watch: { runtime in
                let made = SlowQueryLog(threshold: threshold, plansPerMinute: plansPerMinute, runtime: runtime) {
                    query in
                    written.change { $0.append(query) }
                }
                log = made
                return (nil, made)
            }) { fixture in
                log?.attach(to: fixture.pool, patience: .seconds(600))
                try await body(fixture, written)
            }
        }

        @Test("A slow statement is written with its time, rows, connection, borrower and plan")
        func slowRead() async throws {
            try await withLog(threshold: .milliseconds(50)) { fixture, written in
                _ = try await fixture.ask("INSERT INTO \(fixture.table) SELECT n, n FROM generate_series(1, 3) n")
                let line: UInt = #line + 1
                let number = try await fixture.pool.withConnection { lease in
                    _ = try await lease.execute(
                        SQLStatement(
                            "SELECT id, pg_sleep(0.04)::text FROM \(fixture.table) WHERE id > $1::bigint", [.int(0)],
                            role: .read))
                    return lease.connectionNumber
                }
                try await written.wait { $0.count == 1 }
                let query = written.value[0]
                #expect(query.observation.nanoseconds >= 100_000_000)
                #expect(query.observation.rows == 3)
                #expect(query.observation.connection == number)
                #expect(query.observation.site.line == line)
                let plan = try #require(query.plan)
                #expect(plan.contains("Scan"))
                #expect(plan.contains(fixture.table))
                #expect(query.description.contains("rows 3"))
            }
        }

        @Test("A slow write is planned, not run again; a fast statement is not written")
        func slowWrite() async throws {
            try await withLog(threshold: .milliseconds(50)) { fixture, written in
                // The first statements of a connection are slower: they are warmed up below the threshold's reach.
                try await fixture.pool.run("SELECT 1", role: .read)
                try await fixture.pool.run(
                    "INSERT INTO \(fixture.table) SELECT 1, count(*) FROM (SELECT pg_sleep(0.1)) s")
                try await written.wait { $0.contains { $0.plan?.contains("Insert on") == true } }
                let count = try await fixture.rows.count
                #expect(count == 1)
            }
        }

        @Test("Beyond so many per minute, statements are written without a plan")
        func rateLimited() async throws {
            try await withLog(threshold: .zero, plansPerMinute: 1) { fixture, written in
                for _ in 0..<5 { try await fixture.pool.run("SELECT 1", role: .read) }
                try await written.wait { $0.count == 5 }
                #expect(written.value.count { $0.plan != nil } == 1)
            }
        }

        @Test("SQLite's plan is a tree in words")
        func sqlitePlan() async throws {
            try await SQLiteFeature.with { pool in
                let explainer = try #require(SQLiteDialect().explainer)
                let question = try #require(
                    explainer.explain(SQLStatement("SELECT * FROM t WHERE v = $1 ORDER BY v", [.int(1)], role: .read)))
                let answer = try await pool.withConnection { lease in try await lease.execute(question) }
                #expect(explainer.plan(in: answer).contains("SCAN t"))
                #expect(explainer.explain(.commit) == nil)
            }
        }

        @Test("On SQLite the plan of the slow statement is written, too")
        func slowOnSQLite() async throws {
            let written = Watched<[SlowQuery]>([])
            var log: SlowQueryLog?
            try await SQLiteFeature.with(watch: { runtime in
                let made = SlowQueryLog(threshold: .zero, runtime: runtime) { query in
                    written.change { $0.append(query) }
                }
                log = made
                return made
            }) { pool in
                log?.attach(to: pool, patience: .seconds(600))
                try await pool.run("SELECT count(*) FROM t WHERE v = 7", role: .read)
                try await written.wait { $0.contains { $0.plan?.contains("SCAN t") == true } }
            }
        }
    }
}
