import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

extension FeatureTests {
    /// The batcher on real databases.
    @Suite("Batcher")
    struct BatcherTests {
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
                while batcher.counts.items < 3 {
                    try Task.checkCancellation()
                    await Task.yield()
                }
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
                let batcher = Batcher<SQLiteDriver, Int64>(
                    pool: pool, configuration: BatcherConfiguration(maxInFlight: 1))
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

        /// The times are written down, not judged: they depend on the machine. What is judged is that the delay ends by
        /// itself and that items go together.
        @Test("With the defaults a write is committed soon without anybody's help, alone and with others")
        func commitTimes() async throws {
            try await FeatureFixture.with(maxOpen: 4) { fixture in
                let batcher = Batcher<PostgresDriver, Int64>(pool: fixture.pool)
                @Sendable func write(_ id: Int64) async throws -> Duration {
                    let start = MonotonicInstant.now
                    _ = try await batcher.submit(fixture.insert(id), key: id)
                    return start.duration(to: .now)
                }
                var alone: [Duration] = []
                for id in Int64(0)..<200 { alone.append(try await write(id)) }
                #expect(batcher.counts.batches == 200)
                let together = try await withThrowingTaskGroup(of: [Duration].self) { group in
                    for worker in Int64(1)...64 {
                        group.addTask {
                            var times: [Duration] = []
                            for index in Int64(0)..<50 { times.append(try await write(worker * 1000 + index)) }
                            return times
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(batcher.counts.items == 3400)
                #expect(batcher.counts.batches < 200 + 3200 / 2)
                await batcher.close()
                for (name, times) in [("alone", alone), ("64 at a time", together)] {
                    let sorted = times.sorted()
                    print(
                        "batcher at its defaults, \(name): p50 \(sorted[sorted.count / 2]), "
                            + "p99 \(sorted[sorted.count * 99 / 100]) until committed")
                }
            }
        }
    }
}
