import CSQLite
import ConnectionPool
import RigModel
import Testing
import Threading

@testable import SQLiteDriver

@Suite struct StatementCacheTests {
    @Test func repeatedStatementsAreFoundPreparedAndCountedOverAllConnections() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let driver = SQLiteDriver(database.configuration())
            for _ in 0..<2 {
                let connection = try await driver.connect(deadline: .soon)
                for id in 0..<10 { _ = try await connection.run("SELECT v FROM t WHERE id = $1", [.int(Int64(id))]) }
                await connection.close(deadline: .soon)
            }
            let open = try await driver.connect(deadline: .soon)
            _ = try await open.run("SELECT 1")
            #expect(driver.statementCacheCounts == StatementCacheCounts(hits: 18, misses: 3))
            await open.close(deadline: .soon)
            #expect(driver.leakedStatements == [])
        }
    }

    @Test func leastRecentlyUsedGoesFirst() throws {
        let handle = SQLiteHandle()
        try handle.open(SQLiteConfiguration(path: ":memory:", journalMode: nil))
        defer { _ = handle.close() }
        var cache = StatementCache(capacity: 2)
        func statement(_ text: String) throws -> CachedStatement {
            var prepared: OpaquePointer?
            #expect(sqlite3_prepare_v2(handle.database, text, -1, &prepared, nil) == SQLITE_OK)
            return CachedStatement(text: text, prepared: try #require(prepared))
        }
        #expect(cache.insert(try statement("SELECT 1")) == nil)
        #expect(cache.insert(try statement("SELECT 2")) == nil)
        #expect(cache.find("SELECT 1") != nil)
        let evicted = cache.insert(try statement("SELECT 3"))
        #expect(evicted?.text == "SELECT 2")
        evicted?.finalize()
        #expect(cache.find("SELECT 2") == nil)
        #expect(cache.find("SELECT 1") != nil)
        for left in cache.removeAll() { left.finalize() }
        #expect(cache.find("SELECT 1") == nil)
    }

    @Test func moreStatementsThanPlacesStillWork() async throws {
        try await TemporaryDatabase.with { database async throws in
            var configuration = database.configuration()
            configuration.statementCacheSize = 3
            try await database.withConnection(configuration) { connection async throws in
                for round in 0..<40 {
                    #expect(try await connection.single("SELECT \(round % 7)") == .int(Int64(round % 7)))
                }
            }
        }
    }

    @Test func preparedStatementSurvivesSchemaChanges() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                _ = try await connection.run("INSERT INTO t VALUES (1, 'a')")
                #expect(try await connection.run("SELECT * FROM t").rows == [[.int(1), .text("a")]])
                try await database.withConnection { other async throws in
                    _ = try await other.run("ALTER TABLE t ADD COLUMN w DEFAULT 'new'")
                }
                #expect(try await connection.run("SELECT * FROM t").rows == [[.int(1), .text("a"), .text("new")]])
                _ = try await connection.run("DROP TABLE t")
                let gone = try await failure { () async throws(DriverError) in
                    try await connection.run("SELECT * FROM t")
                }
                #expect(gone.cause == .embedded(code: "SQLITE_ERROR"))
                _ = try await connection.run("CREATE TABLE t (only)")
                #expect(try await connection.run("SELECT * FROM t").rows == [])
            }
        }
    }

    /// They take effect when they are prepared, so a cached one would do nothing the second time.
    @Test func pragmaTakesEffectEachTime() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                for _ in 0..<2 {
                    _ = try await connection.run("PRAGMA synchronous=OFF")
                    #expect(try await connection.single("PRAGMA synchronous") == .int(0))
                    _ = try await connection.run("PRAGMA synchronous=NORMAL")
                    #expect(try await connection.single("PRAGMA synchronous") == .int(1))
                }
            }
        }
    }

    @Test func failedStatementCanRunAgainWithOtherValues() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                let insert = "INSERT INTO t VALUES ($1, $2)"
                _ = try await connection.run(insert, [.int(1), .text("a")])
                _ = try await failure { () async throws(DriverError) in
                    try await connection.run(insert, [.int(1), .text("b")])
                }
                _ = try await failure { () async throws(DriverError) in try await connection.run(insert, [.int(2)]) }
                _ = try await connection.run(insert, [.int(2), .null])
                #expect(try await connection.run("SELECT v FROM t").rows == [[.text("a")], [.null]])
            }
        }
    }

    /// A statement that was quick must still be bounded when it is not quick any more.
    @Test func statementThatTurnsSlowMeetsItsDeadlineAndItsCancellation() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let text = """
                    WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $1) SELECT count(*) FROM c
                    """
                _ = try await connection.run(text, [.int(1)])
                let late = try await failure { () async throws(DriverError) in
                    try await connection.run(
                        text, [.int(.max)], deadline: .now.advanced(by: .milliseconds(200)))
                }
                #expect(late.cause == .timedOut)
                _ = try await connection.run(text, [.int(1)])
                let task = Task {
                    try await failure { () async throws(DriverError) in try await connection.run(text, [.int(.max)]) }
                }
                while connection.transactionStatus != .unusable { await Task.yield() }
                task.cancel()
                #expect(try await task.value.cause == .cancelled)
                #expect(try await connection.run(text, [.int(3)]).rows == [[.int(3)]])
            }
        }
    }
}
