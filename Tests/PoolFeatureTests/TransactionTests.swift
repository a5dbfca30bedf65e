import ConnectionPool
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

/// Transactions, savepoints and retries on real databases.
@Suite("Transactions", .timeLimit(.minutes(15)))
struct TransactionTests {
    struct Stop: Error, Equatable {}

    @Test("The options reach the server", arguments: IsolationLevel.allCases)
    func options(_ isolation: IsolationLevel) async throws {
        try await FeatureFixture.with { fixture in
            let shown = try await fixture.pool.withTransaction(isolation: isolation, readOnly: true, deferrable: true) {
                lease in
                try await lease.execute(
                    SQLStatement(
                        "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'), "
                            + "current_setting('transaction_deferrable')", role: .read))
            }
            #expect(shown.rows == [[.text(isolation.rawValue.lowercased()), .text("on"), .text("on")]])
            await #expect(throws: DriverError.self) {
                try await fixture.pool.withTransaction(readOnly: true) { lease in
                    _ = try await lease.execute(fixture.insert(1))
                }
            }
            #expect(try await fixture.rows == [])
        }
    }

    @Test("What a body did is kept when it returns, and gone when it throws")
    func commitAndRollback() async throws {
        try await FeatureFixture.with(maxOpen: 1) { fixture in
            try await fixture.pool.withTransaction { lease in _ = try await lease.execute(fixture.insert(1)) }
            await #expect(throws: Stop()) {
                try await fixture.pool.withTransaction { lease in
                    _ = try await lease.execute(fixture.insert(2))
                    throw Stop()
                }
            }
            // The next borrower of the only connection finds no transaction.
            try await fixture.pool.withConnection { lease in #expect(lease.connection.transactionStatus == .idle) }
            #expect(try await fixture.rows == [[.int(1), .int(0)]])
        }
    }

    @Test("A cancelled body is rolled back, and its connection serves the next one")
    func cancellation() async throws {
        try await FeatureFixture.with(maxOpen: 1) { fixture in
            let hasInserted = Watched(false)
            let task = Task {
                try await fixture.pool.withTransaction { lease in
                    _ = try await lease.execute(fixture.insert(1))
                    hasInserted.change { $0 = true }
                    _ = try await lease.execute(SQLStatement("SELECT pg_sleep(600)", role: .read))
                }
            }
            try await hasInserted.wait { $0 }
            task.cancel()
            await #expect(throws: DriverError.self) { try await task.value }
            try await fixture.pool.run("INSERT INTO \(fixture.table) VALUES (2, 0)")
            #expect(try await fixture.rows == [[.int(2), .int(0)]])
        }
    }

    @Test("Savepoints: a part that fails is undone alone, nested ones too")
    func savepoints() async throws {
        try await FeatureFixture.with { fixture in
            try await fixture.pool.withTransaction { lease in
                _ = try await lease.execute(fixture.insert(1))
                try await lease.withSavepoint { lease in
                    _ = try await lease.execute(fixture.insert(2))
                    await #expect(throws: DriverError.self) {
                        try await lease.withSavepoint { lease in
                            _ = try await lease.execute(fixture.insert(3))
                            // Already there: the server fails the whole transaction but for the savepoint.
                            _ = try await lease.execute(fixture.insert(1))
                        }
                    }
                    #expect(lease.connection.transactionStatus == .inTransaction)
                    _ = try await lease.execute(fixture.insert(4))
                }
                await #expect(throws: Stop()) {
                    try await lease.withSavepoint("my_part") { lease in
                        try await lease.withSavepoint { lease in _ = try await lease.execute(fixture.insert(5)) }
                        throw Stop()
                    }
                }
            }
            #expect(try await fixture.rows.map { $0[0] } == [.int(1), .int(2), .int(4)])
        }
    }

    @Test("Savepoints on SQLite, and BEGIN in its words")
    func savepointsOnSQLite() async throws {
        try await SQLiteFeature.with { pool in
            try await pool.withTransaction { lease in
                _ = try await lease.execute(SQLStatement("INSERT INTO t VALUES (1, 'a')", role: .write))
                await #expect(throws: Stop()) {
                    try await lease.withSavepoint { lease in
                        _ = try await lease.execute(SQLStatement("INSERT INTO t VALUES (2, 'b')", role: .write))
                        throw Stop()
                    }
                }
                try await lease.withSavepoint { lease in
                    _ = try await lease.execute(SQLStatement("INSERT INTO t VALUES (3, 'c')", role: .write))
                }
            }
            await #expect(throws: Stop()) {
                try await pool.withTransaction { lease in
                    _ = try await lease.execute(SQLStatement("INSERT INTO t VALUES (4, 'd')", role: .write))
                    throw Stop()
                }
            }
            #expect(try await pool.run("SELECT id FROM t ORDER BY id", role: .read).rows == [[.int(1)], [.int(3)]])
        }
        #expect(SQLiteDialect().begin(TransactionOptions()).text == "BEGIN IMMEDIATE")
        #expect(SQLiteDialect().begin(TransactionOptions(isReadOnly: true)).text == "BEGIN DEFERRED")
    }

    @Test("A savepoint outside a transaction is refused")
    func savepointOutside() async throws {
        try await SQLiteFeature.with { pool in
            try await pool.withConnection { lease in
                _ = await #expect(throws: DriverError.self) { try await lease.withSavepoint { _ in } }
            }
        }
    }

    @Test("Names of savepoints are identifiers")
    func savepointNames() {
        for name in ["a", "_x9", "Part_2", String(repeating: "n", count: 63)] { #expect(SavepointName(name) != nil) }
        for name in ["", "9a", "a b", "a;--", "\"a\"", "é", String(repeating: "n", count: 64)] {
            #expect(SavepointName(name) == nil)
        }
    }

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
            #expect(fixture.pool.metrics.retries == 1)
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

    @Test("Without a policy, and for an error that will come again, nothing is run twice")
    func noRetry() async throws {
        try await FeatureFixture.with { fixture in
            let runs = Watched(0)
            await #expect(throws: DriverError.self) {
                try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600))) { lease in
                    runs.change { $0 += 1 }
                    _ = try await lease.execute(SQLStatement("SELECT 1/0", role: .read))
                }
            }
            await #expect(throws: Stop()) {
                try await fixture.pool.withTransaction(retry: RetryPolicy(budget: .seconds(600))) { _ in
                    runs.change { $0 += 1 }
                    throw Stop()
                }
            }
            #expect(runs.value == 2)
        }
    }
}
