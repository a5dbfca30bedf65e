import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

extension FeatureTests {
    /// Batches, multi-row insert and COPY on leases of real databases.
    @Suite("Bulk")
    struct BulkTests {
        @Test(
            "A batch on a lease: a result for each, and what failed is known",
            arguments: [BatchAtomicity.independent, .allOrNothing])
        func leaseBatch(_ atomicity: BatchAtomicity) async throws {
            try await FeatureFixture.with { fixture in
                let batch = [1, 2, 1, 3].map { fixture.insert($0) }
                let results = try await fixture.pool.withConnection { lease in
                    await lease.execute(batch: batch, atomicity: atomicity)
                }
                let succeeded = results.map { (try? $0.get()) != nil }
                #expect(
                    succeeded
                        == (atomicity == .independent ? [true, true, false, true] : [false, false, false, false]))
                let error = #expect(throws: DriverError.self) { try results[2].get() }
                #expect(error?.cause == .server(sqlState: "23505"))
                let count = try await fixture.rows.count
                #expect(count == (atomicity == .independent ? 3 : 0))
            }
        }

        @Test("A batch whose connection dies tells the pool, which then doubts the others")
        func batchLoss() async throws {
            try await FeatureFixture.with(maxOpen: 2, adjust: { $0.healthCheckInterval = .seconds(6000) }) { fixture in
                _ = try await fixture.pool.withConnection { _ in try await fixture.pool.run("SELECT 1", role: .read) }
                try await fixture.pool.withConnection { lease in
                    // In the middle of the batch: a session that ends while nothing runs is noticed by the loop.
                    let end = SQLStatement("SELECT pg_terminate_backend(pg_backend_pid())", role: .read)
                    let results = await lease.execute(
                        batch: [fixture.insert(1), end, fixture.insert(2)], atomicity: .allOrNothing)
                    #expect((try? results[2].get()) == nil)
                }
                while fixture.pool.metrics.healthChecksOK == 0 {
                    try Task.checkCancellation()
                    await Task.yield()
                }
                #expect(fixture.pool.metrics.lostClosed == 1)
                #expect(try await fixture.rows.isEmpty)
            }
        }

        @Test("Many rows in few statements on PostgreSQL, up to the limit of its parameters")
        func multiRowInsert() async throws {
            try await FeatureFixture.with { fixture in
                let insert = MultiRowInsert(into: fixture.table, columns: ["id", "v"])
                let rows = (0..<50_000).map { [SQLValue.int(Int64($0)), .int(Int64($0) * 2)] }
                let counts = try await fixture.pool.insert(insert, rows: rows)
                #expect(counts.first == 32_767)
                #expect(counts.reduce(0, +) == 50_000)
                let sums = try await fixture.ask("SELECT count(*), sum(v)::bigint FROM \(fixture.table)").rows
                #expect(sums == [[.int(50_000), .int(2_499_950_000)]])
                // All or none.
                await #expect(throws: DriverError.self) {
                    try await fixture.pool.insert(
                        insert, rows: [[.int(100_000), .null], [.int(7), .null], [.int(100_001), .null]])
                }
                let count = try await fixture.ask("SELECT count(*) FROM \(fixture.table)").rows
                #expect(count == [[.int(50_000)]])
            }
        }

        @Test("Many rows in few statements on SQLite, up to the limit of its parameters")
        func multiRowInsertOnSQLite() async throws {
            try await SQLiteFeature.with { pool in
                let insert = MultiRowInsert(into: "t", columns: ["id", "v"])
                let rows = (0..<20_000).map { [SQLValue.int(Int64($0)), .text("row \($0)")] }
                let counts = try await pool.insert(insert, rows: rows)
                #expect(counts.first == 16_383)
                #expect(counts.reduce(0, +) == 20_000)
                #expect(try await pool.run("SELECT count(*) FROM t", role: .read).rows == [[.int(20_000)]])
            }
        }
    }
}
