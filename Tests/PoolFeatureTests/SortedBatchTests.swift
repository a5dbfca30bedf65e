import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// Batches that are sorted by their keys do not deadlock; others do.
    @Suite("Batches and deadlocks")
    struct SortedBatchTests {
        @Test("Batches that change the same rows in all orders do not deadlock")
        func sortedKeys() async throws {
            try await FeatureFixture.with(maxOpen: 8) { fixture in
                _ = try await fixture.ask(
                    "INSERT INTO \(fixture.table) SELECT n, 0 FROM generate_series(0, 49) n")
                // The batchers know nothing of each other's keys: only the order keeps them apart. Each statement takes a
                // while, so that batches are under way side by side.
                let batchers = (0..<8).map { _ in
                    Batcher<PostgresDriver, Int64>(
                        pool: fixture.pool, configuration: BatcherConfiguration(maxCount: 20, maxInFlight: 1))
                }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for worker in 0..<160 {
                        group.addTask {
                            var generator = SeededGenerator(seed: UInt64(worker))
                            for _ in 0..<10 {
                                let id = Int64.random(in: 0..<50, using: &generator)
                                let statement = SQLStatement(
                                    """
                                    UPDATE \(fixture.table) SET v = v + 1
                                    WHERE id = $1::bigint AND pg_sleep(0.0005)::text = ''
                                    """, [.int(id)], role: .write)
                                _ = try await batchers[worker % 8].submit(statement, key: id)
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
                #expect(sum == [[.int(1600)]])
            }
        }

        /// Two batches that change rows 1 and 2, each its own way round, and meet after their first row.
        ///
        /// - Returns: the failures of both.
        private func opposed(
            _ fixture: FeatureFixture, run: @escaping @Sendable ([SQLStatement]) async throws -> [DriverError]
        ) async throws -> [DriverError] {
            try await fixture.ask("INSERT INTO \(fixture.table) VALUES (1, 0), (2, 0)")
            try await fixture.ask("SELECT pg_advisory_lock(hashtext($1))", [.text(fixture.table)])
            let meet = SQLStatement(
                "SELECT pg_advisory_xact_lock_shared(hashtext('\(fixture.table)'))::text", role: .read)
            let batches = Task {
                try await withThrowingTaskGroup(of: [DriverError].self) { group in
                    for (first, second) in [(Int64(1), Int64(2)), (2, 1)] {
                        group.addTask {
                            try await run([Self.increment(fixture, first), meet, Self.increment(fixture, second)])
                        }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
            }
            let question = """
                SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                AND objid::bigint = hashtext($1)::bigint & 4294967295
                """
            while try await fixture.ask(question, [.text(fixture.table)]).rows != [[.int(2)]] {
                try Task.checkCancellation()
            }
            try await fixture.ask("SELECT pg_advisory_unlock(hashtext($1))", [.text(fixture.table)])
            return try await batches.value
        }

        private static func increment(_ fixture: FeatureFixture, _ id: Int64) -> SQLStatement {
            SQLStatement("UPDATE \(fixture.table) SET v = v + 1 WHERE id = $1::bigint", [.int(id)], role: .write)
        }

        @Test("The control: two batches that are not sorted do deadlock, and the server ends one of them")
        func unsortedBatchesDeadlock() async throws {
            try await FeatureFixture.with { fixture in
                let failures = try await opposed(fixture) { batch in
                    try await fixture.pool.withConnection { lease in
                        await lease.execute(batch: batch, atomicity: .allOrNothing).compactMap { result in
                            if case .failure(let error) = result { error } else { nil }
                        }
                    }
                }
                #expect(failures.contains { $0.cause == .server(sqlState: "40P01") })
                // One was applied, the other not at all.
                #expect(try await fixture.rows == [[.int(1), .int(1)], [.int(2), .int(1)]])
            }
        }

        @Test("Whatever the order of their coming, the statements of a batch reach the server sorted by their keys")
        func orderOnTheServer() async throws {
            try await FeatureFixture.with { fixture in
                try await fixture.ask("CREATE SEQUENCE \(fixture.table)_seq OWNED BY \(fixture.table).id")
                let batcher = Batcher<PostgresDriver, Int64>(
                    pool: fixture.pool, configuration: BatcherConfiguration(maxDelay: .seconds(600)))
                var generator = SeededGenerator(seed: 3)
                let ids = (Int64(0)..<100).shuffled(using: &generator)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in ids {
                        group.addTask {
                            let statement = SQLStatement(
                                "INSERT INTO \(fixture.table) VALUES ($1::bigint, nextval('\(fixture.table)_seq'))",
                                [.int(id)], role: .write)
                            _ = try await batcher.submit(statement, key: id)
                        }
                    }
                    try await group.waitForAll()
                }
                await batcher.close()
                #expect(batcher.counts.batches == 1)
                // The first one that was run has 1.
                #expect(try await fixture.rows == (0..<100).map { [.int($0), .int($0 + 1)] })
            }
        }

        @Test("A deadlock with somebody else's transaction costs a batch a second try, not its items")
        func deadlockOfABatch() async throws {
            try await FeatureFixture.with { fixture in
                try await fixture.ask("INSERT INTO \(fixture.table) VALUES (1, 0), (2, 0)")
                // Holds row 2, and goes for row 1 when the batch has that one and waits for 2. The batch finds the
                // deadlock: its side looks first, the other is told to look late.
                try await fixture.ask("BEGIN")
                try await fixture.ask("SET LOCAL deadlock_timeout = '600s'")
                try await fixture.ask("UPDATE \(fixture.table) SET v = v + 10 WHERE id = 2")
                let batcher = Batcher<PostgresDriver, Int64>(
                    pool: fixture.pool, configuration: BatcherConfiguration(maxCount: 2, maxDelay: .seconds(600)))
                let first = Task { try await batcher.submit(Self.increment(fixture, 1), key: 1) }
                let second = Task { try await batcher.submit(Self.increment(fixture, 2), key: 2) }
                let question = """
                    SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'
                    AND transactionid = pg_current_xact_id()::xid
                    """
                while try await fixture.ask(question).rows != [[.int(1)]] { try Task.checkCancellation() }
                // Added, not set: the batch's second try may come before it or after it.
                try await fixture.ask("UPDATE \(fixture.table) SET v = v + 10 WHERE id = 1")
                try await fixture.ask("COMMIT")
                _ = try await (first.value, second.value)
                await batcher.close()
                #expect(batcher.counts.deadlocks == 1)
                #expect(batcher.counts.fallbacks == 1)
                #expect(try await fixture.rows == [[.int(1), .int(11)], [.int(2), .int(11)]])
            }
        }
    }
}
