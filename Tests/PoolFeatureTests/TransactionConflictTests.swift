import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension FeatureTests {
    /// Transactions that the server ends for the sake of others, or that lose their connection: run again as a whole.
    @Suite("Transactions in conflict")
    struct TransactionConflictTests {
        @Test("Serialization failures: with a retry all transactions succeed, and the sum is right")
        func serializationRetry() async throws {
            try await FeatureFixture.with(maxOpen: 8) { fixture in
                _ = try await fixture.ask("INSERT INTO \(fixture.table) VALUES (1, 0)")
                let policy = RetryPolicy(maxAttempts: 15, budget: .seconds(600), delayCap: .milliseconds(50))
                let runs = Watched(0)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            try await fixture.pool.withTransaction(isolation: .serializable, retry: policy) { lease in
                                runs.change { $0 += 1 }
                                let read = try await lease.execute(
                                    SQLStatement("SELECT v FROM \(fixture.table) WHERE id = 1", role: .read))
                                let value = try #require(read.rows[0][0].intValue)
                                _ = try await lease.execute(SQLStatement("SELECT pg_sleep(0.01)", role: .read))
                                _ = try await lease.execute(
                                    SQLStatement(
                                        "UPDATE \(fixture.table) SET v = $1::bigint WHERE id = 1", [.int(value + 1)],
                                        role: .write))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await fixture.rows == [[.int(1), .int(8)]])
                // There was something to retry, and every retry was counted.
                #expect(runs.value > 8)
                #expect(fixture.pool.metrics.retries == runs.value - 8)
            }
        }

        @Test("A deadlock's victim is run again")
        func deadlockRetry() async throws {
            try await FeatureFixture.with(maxOpen: 2) { fixture in
                _ = try await fixture.ask("INSERT INTO \(fixture.table) VALUES (1, 0), (2, 0)")
                let holders = Watched(0)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for (first, second) in [(1, 2), (2, 1)] {
                        group.addTask {
                            try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600))) { lease in
                                for (turn, id) in [first, second].enumerated() {
                                    _ = try await lease.execute(
                                        SQLStatement(
                                            "UPDATE \(fixture.table) SET v = v + 1 WHERE id = $1::bigint",
                                            [.int(Int64(id))], role: .write))
                                    if turn == 0 {
                                        holders.change { $0 += 1 }
                                        try await holders.wait { $0 >= 2 }
                                    }
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await fixture.rows == [[.int(1), .int(2)], [.int(2), .int(2)]])
                // Once, unless the second try meets the other transaction again.
                #expect(fixture.pool.metrics.retries >= 1)
            }
        }

        @Test("A transaction that loses its connection before COMMIT is run again on another lease, from its beginning")
        func lossRetry() async throws {
            try await FeatureFixture.with(maxOpen: 2) { fixture in
                let pids = Watched<[Int]>([])
                try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600))) { lease in
                    let pid = try #require(lease.connection.backendPID)
                    let attempt = pids.change { pids in
                        pids.append(pid)
                        return pids.count
                    }
                    _ = try await lease.execute(fixture.insert(1))
                    if attempt == 1 {
                        _ = try await fixture.ask("SELECT pg_terminate_backend($1::int, 20000)", [.int(Int64(pid))])
                    }
                    _ = try await lease.execute(fixture.insert(2))
                }
                #expect(pids.value.count == 2)
                #expect(Set(pids.value).count == 2)
                #expect(try await fixture.rows.count == 2)
            }
        }

        /// Two transactions that each look at both rows and then change one of them: one after the other they never bring the
        /// sum below 1, side by side they do unless the server finds out at the end (write skew).
        private func skew(_ isolation: IsolationLevel, retry: RetryPolicy?) async throws -> (sum: Int64, runs: Int) {
            try await FeatureFixture.with(maxOpen: 2) { fixture in
                try await fixture.ask("INSERT INTO \(fixture.table) VALUES (1, 1), (2, 1)")
                let readers = Watched(0)
                let runs = Watched(0)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in Int64(1)...2 {
                        group.addTask {
                            try await fixture.pool.withTransaction(isolation: isolation, retry: retry) { lease in
                                runs.change { $0 += 1 }
                                let sum = try await lease.execute(
                                    SQLStatement("SELECT sum(v)::bigint FROM \(fixture.table)", role: .read))
                                readers.change { $0 += 1 }
                                try await readers.wait { $0 >= 2 }
                                guard sum.rows == [[.int(2)]] else { return }
                                _ = try await lease.execute(
                                    SQLStatement(
                                        "UPDATE \(fixture.table) SET v = 0 WHERE id = $1::bigint", [.int(id)],
                                        role: .write))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let sum = try await fixture.ask("SELECT sum(v)::bigint FROM \(fixture.table)").rows[0][0].intValue
                return (try #require(sum), runs.value)
            }
        }

        @Test("Write skew: repeatable read lets it happen, serializable and a retry do not")
        func writeSkew() async throws {
            let loose = try await skew(.repeatableRead, retry: nil)
            #expect(loose.sum == 0)
            let strict = try await skew(.serializable, retry: RetryPolicy(maxAttempts: 15, budget: .seconds(600)))
            #expect(strict.sum == 1)
            #expect(strict.runs > 2)
        }

        @Test("Without a retry the victim of a conflict gets the server's word")
        func writeSkewWithoutRetry() async throws {
            do {
                _ = try await skew(.serializable, retry: nil)
                Issue.record("both transactions were committed")
            } catch let error as PhasedError {
                #expect(error.error.cause == .server(sqlState: "40001"))
            } catch let error as DriverError {
                #expect(error.cause == .server(sqlState: "40001"))
            }
        }
    }
}
