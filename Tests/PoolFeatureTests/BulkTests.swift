import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

/// Batches, batcher and multi-row insert on real databases.
@Suite("Bulk", .timeLimit(.minutes(15)))
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
                succeeded == (atomicity == .independent ? [true, true, false, true] : [false, false, false, false]))
            let error = #expect(throws: DriverError.self) { try results[2].get() }
            #expect(error?.cause == .server(sqlState: "23505"))
            let count = try await fixture.rows.count
            #expect(count == (atomicity == .independent ? 3 : 0))
        }
    }

    @Test("A batch whose connection dies tells the pool")
    func batchLoss() async throws {
        try await FeatureFixture.with { fixture in
            try await fixture.pool.withConnection { lease in
                let pid = try #require(lease.connection.backendPID)
                try await fixture.ask("SELECT pg_terminate_backend($1::int, 20000)", [.int(Int64(pid))])
                let results = await lease.execute(batch: [fixture.insert(1)], atomicity: .allOrNothing)
                #expect((try? results[0].get()) == nil)
            }
            try await fixture.pool.run("SELECT 1", role: .read)
            #expect(fixture.pool.metrics.lostClosed == 1)
        }
    }

    @Test("Writes of many tasks go together, and each gets its own result")
    func batcher() async throws {
        try await FeatureFixture.with { fixture in
            let batcher = Batcher<PostgresDriver, Int64>(pool: fixture.pool)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 0..<1000 {
                    group.addTask {
                        let statement = SQLStatement(
                            "INSERT INTO \(fixture.table) VALUES ($1::bigint, $1::bigint) RETURNING id",
                            [.int(Int64(id))], role: .write)
                        let result = try await batcher.submit(statement, key: Int64(id))
                        #expect(result.rows == [[.int(Int64(id))]])
                    }
                }
                try await group.waitForAll()
            }
            await batcher.close()
            let count = try await fixture.rows.count
            #expect(count == 1000)
            #expect(batcher.counts.items == 1000)
            #expect(batcher.counts.batches <= 500)
            #expect(batcher.counts.fallbacks == 0)
        }
    }

    @Test("One bad item does not fail the others")
    func badItem() async throws {
        try await FeatureFixture.with { fixture in
            _ = try await fixture.ask("INSERT INTO \(fixture.table) VALUES (5, 0)")
            let batcher = Batcher<PostgresDriver, Int64>(
                pool: fixture.pool, configuration: BatcherConfiguration(maxCount: 10, maxDelay: .seconds(600)))
            let outcomes = await withTaskGroup(of: (Int64, DriverError?).self) { group in
                for id in Int64(0)..<10 {
                    group.addTask {
                        do throws(DriverError) {
                            _ = try await batcher.submit(fixture.insert(id), key: id)
                            return (id, nil)
                        } catch {
                            return (id, error)
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            await batcher.close()
            let failed = outcomes.filter { $0.1 != nil }
            #expect(failed.map(\.0) == [5])
            #expect(failed.first?.1?.cause == .server(sqlState: "23505"))
            #expect(batcher.counts.batches == 1)
            #expect(batcher.counts.fallbacks == 1)
            let count = try await fixture.rows.count
            #expect(count == 10)
        }
    }

    @Test("Batches that change the same rows in all orders do not deadlock")
    func sortedKeys() async throws {
        try await FeatureFixture.with(maxOpen: 8) { fixture in
            _ = try await fixture.ask(
                "INSERT INTO \(fixture.table) SELECT n, 0 FROM generate_series(0, 49) n")
            // Two batchers know nothing of each other's keys: only the order keeps them apart.
            let batchers = (0..<2).map { _ in
                Batcher<PostgresDriver, Int64>(pool: fixture.pool, configuration: BatcherConfiguration(maxInFlight: 4))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<100 {
                    group.addTask {
                        var generator = SeededGenerator(seed: UInt64(worker))
                        for _ in 0..<20 {
                            let id = Int64.random(in: 0..<50, using: &generator)
                            let statement = SQLStatement(
                                "UPDATE \(fixture.table) SET v = v + 1 WHERE id = $1::bigint", [.int(id)], role: .write)
                            _ = try await batchers[worker % 2].submit(statement, key: id)
                        }
                    }
                }
                try await group.waitForAll()
            }
            for batcher in batchers {
                await batcher.close()
                #expect(batcher.counts.deadlocks == 0)
            }
            let sum = try await fixture.ask("SELECT sum(v)::bigint FROM \(fixture.table)").rows
            #expect(sum == [[.int(2000)]])
        }
    }

    @Test("Who is cancelled, or late, before the batch goes is not in it; the others are")
    func withdrawal() async throws {
        try await FeatureFixture.with { fixture in
            let batcher = Batcher<PostgresDriver, Int64>(
                pool: fixture.pool, configuration: BatcherConfiguration(maxDelay: .seconds(600)))
            let stays = Task { try await batcher.submit(fixture.insert(1), key: 1) }
            let cancelled = Task { try await batcher.submit(fixture.insert(2), key: 2) }
            let deadline = MonotonicInstant.now.advanced(by: .milliseconds(1))
            let late = await #expect(throws: DriverError.self) {
                try await batcher.submit(fixture.insert(3), key: 3, deadline: deadline)
            }
            #expect(late?.cause == .timedOut)
            #expect(late?.requestSent == false)
            while batcher.counts.items < 3 { await Task.yield() }
            cancelled.cancel()
            let error = await #expect(throws: DriverError.self) { try await cancelled.value }
            #expect(error?.cause == .cancelled)
            #expect(error?.requestSent == false)
            await batcher.close()
            _ = try await stays.value
            let refused = await #expect(throws: DriverError.self) {
                try await batcher.submit(fixture.insert(4), key: 4)
            }
            #expect(refused?.cause == .poolRefused)
            let rows = try await fixture.rows
            #expect(rows.map { $0[0] } == [.int(1)])
        }
    }

    @Test("A batcher on SQLite")
    func batcherOnSQLite() async throws {
        try await SQLiteFeature.with { pool in
            let batcher = Batcher<SQLiteDriver, Int64>(pool: pool, configuration: BatcherConfiguration(maxInFlight: 1))
            let failures = await withTaskGroup(of: Bool.self) { group in
                for id in 0..<100 {
                    group.addTask {
                        // 50 of them twice.
                        let key = Int64(id % 75)
                        let insert = SQLStatement("INSERT INTO t VALUES ($1, 'x')", [.int(key)], role: .write)
                        return (try? await batcher.submit(insert, key: key)) == nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            await batcher.close()
            #expect(failures == 25)
            let count = try await pool.run("SELECT count(*) FROM t", role: .read).rows
            #expect(count == [[.int(75)]])
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
