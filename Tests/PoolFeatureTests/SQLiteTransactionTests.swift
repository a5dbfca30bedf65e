import ConnectionPool
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

extension FeatureTests {
    /// Transactions and savepoints on real SQLite files.
    @Suite("Transactions on SQLite")
    struct SQLiteTransactionTests {
        struct Stop: Error, Equatable {}

        private static func insert(_ id: Int64, _ value: Int64 = 0) -> SQLStatement {
            SQLStatement("INSERT INTO t VALUES ($1, $2)", [.int(id), .int(value)], role: .write)
        }

        private static func ids(_ pool: Pool<SQLiteDriver>) async throws -> [Int64?] {
            try await pool.run("SELECT id FROM t ORDER BY id", role: .read).rows.map { $0[0].intValue }
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

        @Test("Nested savepoints: an inner part is undone alone, an outer one with all that is in it")
        func nestedSavepoints() async throws {
            try await SQLiteFeature.with { pool in
                try await pool.withTransaction { lease in
                    try await lease.withSavepoint { lease in
                        _ = try await lease.execute(Self.insert(1))
                        await #expect(throws: DriverError.self) {
                            try await lease.withSavepoint { lease in
                                _ = try await lease.execute(Self.insert(2))
                                _ = try await lease.execute(Self.insert(1))
                            }
                        }
                        _ = try await lease.execute(Self.insert(3))
                    }
                    await #expect(throws: Stop()) {
                        try await lease.withSavepoint("outer_part") { lease in
                            try await lease.withSavepoint { lease in _ = try await lease.execute(Self.insert(4)) }
                            throw Stop()
                        }
                    }
                }
                #expect(try await Self.ids(pool) == [1, 3])
            }
        }

        @Test("A cancelled body is rolled back, and its write lock is free for the next one")
        func cancellation() async throws {
            try await SQLiteFeature.with(maxOpen: 2) { pool in
                let hasInserted = Watched(false)
                let never = Watched(false)
                let task = Task {
                    try await pool.withTransaction { lease in
                        _ = try await lease.execute(Self.insert(1))
                        hasInserted.change { $0 = true }
                        try await never.wait { $0 }
                    }
                }
                try await hasInserted.wait { $0 }
                // Another connection still sees nothing of it.
                #expect(try await Self.ids(pool) == [])
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                try await pool.withTransaction { lease in _ = try await lease.execute(Self.insert(2)) }
                #expect(try await Self.ids(pool) == [2])
            }
        }

        @Test("A read-only transaction sees one moment while others commit")
        func readOnlySnapshot() async throws {
            try await SQLiteFeature.with(maxOpen: 2) { pool in
                try await pool.withTransaction { lease in _ = try await lease.execute(Self.insert(1)) }
                try await pool.withTransaction(readOnly: true) { lease in
                    let count = SQLStatement("SELECT count(*) FROM t", role: .read)
                    #expect(try await lease.execute(count).rows == [[.int(1)]])
                    try await pool.withTransaction { other in _ = try await other.execute(Self.insert(2)) }
                    #expect(try await lease.execute(count).rows == [[.int(1)]])
                }
                #expect(try await Self.ids(pool) == [1, 2])
            }
        }

        @Test("Transactions that read and then write do not lose each other's changes")
        func noLostUpdates() async throws {
            try await SQLiteFeature.with(maxOpen: 4) { pool in
                try await pool.run("INSERT INTO t VALUES (1, 0)")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            for _ in 0..<10 {
                                try await pool.withTransaction { lease in
                                    let read = try await lease.execute(SQLStatement("SELECT v FROM t", role: .read))
                                    let value = try #require(read.rows[0][0].intValue)
                                    await Task.yield()
                                    _ = try await lease.execute(
                                        SQLStatement("UPDATE t SET v = $1", [.int(value + 1)], role: .write))
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await pool.run("SELECT v FROM t", role: .read).rows == [[.int(80)]])
            }
        }

        @Test("A COMMIT that SQLite refuses is not applied, and the connection serves the next one")
        func refusedCommit() async throws {
            try await SQLiteFeature.with(maxOpen: 1) { pool in
                try await pool.run(
                    "CREATE TABLE child (id INTEGER PRIMARY KEY REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)")
                try await pool.run("PRAGMA foreign_keys = on", role: .read)
                let error = await #expect(throws: PhasedError.self) {
                    try await pool.withTransaction { lease in
                        _ = try await lease.execute(Self.insert(1))
                        _ = try await lease.execute(SQLStatement("INSERT INTO child VALUES (99)", role: .write))
                    }
                }
                #expect(error?.phase == .commit)
                #expect(error?.error.cause.code?.hasPrefix("SQLITE_CONSTRAINT") == true)
                try await pool.withTransaction { lease in _ = try await lease.execute(Self.insert(2)) }
                #expect(try await Self.ids(pool) == [2])
            }
        }
    }
}
