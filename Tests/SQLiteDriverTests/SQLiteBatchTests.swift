import ConnectionPool
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

@Suite struct SQLiteBatchTests {
    private static func insert(_ id: Int64) -> SQLStatement {
        SQLStatement("INSERT INTO t VALUES ($1, $1)", [.int(id)], role: .write)
    }

    private func withTable(_ body: (SQLiteConnection, TemporaryDatabase) async throws -> Void) async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in try await body(connection, database) }
        }
    }

    private func causes(_ results: [Result<SQLResult, DriverError>]) -> [String] {
        results.map { if case .failure(let error) = $0 { error.cause.code ?? error.cause.name } else { "ok" } }
    }

    @Test func allItemsOfAGoodBatchAreApplied() async throws {
        try await withTable { connection, _ async throws in
            let results = await connection.execute(
                batch: (1...100).map(Self.insert), atomicity: .allOrNothing, deadline: .soon)
            #expect(results.count == 100)
            #expect(causes(results) == Array(repeating: "ok", count: 100))
            #expect(connection.transactionStatus == .idle)
            #expect(try await connection.single("SELECT count(*) FROM t") == .int(100))
            #expect(await connection.execute(batch: [], atomicity: .allOrNothing, deadline: .soon).isEmpty)
        }
    }

    @Test func failureUndoesTheWholeBatch() async throws {
        try await withTable { connection, _ async throws in
            let results = await connection.execute(
                batch: [1, 2, 1, 3].map(Self.insert), atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(results) == ["25P02", "25P02", "SQLITE_CONSTRAINT_PRIMARYKEY", "25P02"])
            if case .failure(let last) = results[3] { #expect(!last.requestSent) }
            #expect(connection.transactionStatus == .idle)
            #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
        }
    }

    @Test func failureInsideATransactionUndoesTheBatchOnly() async throws {
        try await withTable { connection, _ async throws in
            _ = try await connection.run("BEGIN IMMEDIATE", role: .begin)
            _ = try await connection.execute(Self.insert(9), deadline: .soon)
            let bad = await connection.execute(
                batch: [1, 1].map(Self.insert), atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(bad) == ["25P02", "SQLITE_CONSTRAINT_PRIMARYKEY"])
            let good = await connection.execute(
                batch: [2, 3].map(Self.insert), atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(good) == ["ok", "ok"])
            #expect(connection.transactionStatus == .inTransaction)
            _ = try await connection.execute(.commit, deadline: .soon)
            #expect(try await connection.run("SELECT id FROM t").rows == [[.int(2)], [.int(3)], [.int(9)]])
        }
    }

    @Test func independentItemsStandForThemselves() async throws {
        try await withTable { connection, _ async throws in
            let results = await connection.execute(
                batch: [1, 1, 2].map(Self.insert), atomicity: .independent, deadline: .soon)
            #expect(causes(results) == ["ok", "SQLITE_CONSTRAINT_PRIMARYKEY", "ok"])
            #expect(try await connection.single("SELECT count(*) FROM t") == .int(2))
        }
    }

    @Test func deadlineInTheMiddleUndoesTheWholeBatch() async throws {
        try await withTable { connection, _ async throws in
            let (results, _) = await withGrowingPatience(milliseconds: 300) { deadline in
                await connection.execute(
                    batch: [Self.insert(1000), SQLStatement(endless, role: .read), Self.insert(2)],
                    atomicity: .allOrNothing, deadline: deadline)
            } hasBegun: {
                causes($0).first != "timed-out"
            }
            #expect(causes(results).dropFirst() == ["timed-out", "25P02"])
            #expect(connection.transactionStatus == .idle)
            #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
        }
    }

    @Test func cancellationInTheMiddleUndoesTheWholeBatch() async throws {
        try await withTable { connection, _ async throws in
            let task = Task {
                await connection.execute(
                    batch: [Self.insert(1), SQLStatement(endless, role: .read)], atomicity: .allOrNothing,
                    deadline: .soon)
            }
            while connection.transactionStatus != .unusable { await Task.yield() }
            task.cancel()
            let results = await task.value
            #expect(!causes(results).contains("ok"))
            #expect(connection.transactionStatus == .idle)
            #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
        }
    }

    @Test func batchThatFindsTheLockTakenWasNotSent() async throws {
        try await withTable { _, database async throws in
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            try await locker.lock()
            try await database.withConnection(database.configuration(busyTimeout: .milliseconds(20))) {
                connection async throws in
                let results = await connection.execute(
                    batch: [1, 2].map(Self.insert), atomicity: .allOrNothing, deadline: .soon)
                for result in results {
                    guard case .failure(let error) = result else { continue }
                    #expect(error.cause == .busy(code: "SQLITE_BUSY"))
                    #expect(!error.requestSent)
                }
                #expect(!causes(results).contains("ok"))
                #expect(connection.transactionStatus == .idle)
            }
            try await locker.unlock()
        }
    }
}

@Suite struct SQLiteResetTests {
    @Test func fullResetMakesTheSessionAsNew() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                let settings = [
                    "synchronous", "query_only", "temp_store", "locking_mode", "foreign_keys", "cache_size",
                ]
                var before: [SQLValue] = []
                for name in settings { before.append(try await connection.single("PRAGMA \(name)")) }
                _ = try await connection.run("ATTACH DATABASE ':memory:' AS \"other\"\"one\"")
                _ = try await connection.run("CREATE TEMP TABLE scratch (x)")
                _ = try await connection.run("INSERT INTO scratch VALUES (1)")
                _ = try await connection.run("PRAGMA temp_store=MEMORY")  // drops it
                _ = try await connection.run("CREATE TEMP TABLE scratch (x)")
                _ = try await connection.run("PRAGMA synchronous=OFF")
                _ = try await connection.run("PRAGMA locking_mode=EXCLUSIVE")
                _ = try await connection.run("PRAGMA foreign_keys=OFF")
                _ = try await connection.run("PRAGMA cache_size=5")
                _ = try await connection.run("PRAGMA busy_timeout=600000")
                _ = try await connection.run("BEGIN IMMEDIATE", role: .begin)
                _ = try await connection.run("INSERT INTO t VALUES (1, 1)")
                _ = try await connection.run("PRAGMA query_only=ON")

                try await connection.reset(.full, deadline: .soon)
                #expect(connection.transactionStatus == .idle)
                for (name, value) in zip(settings, before) {
                    #expect(try await connection.single("PRAGMA \(name)") == value, "\(name)")
                }
                #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
                #expect(try await connection.single("SELECT count(*) FROM temp.sqlite_master") == .int(0))
                let names = try await connection.run("PRAGMA database_list").rows.map { $0[1] }
                #expect(!names.contains(.text("other\"one")))
                _ = try await connection.run("INSERT INTO t VALUES (2, 2)")
                // Nothing is locked any more, and the wait for a lock is the driver's again.
                try await database.withConnection { other async throws in
                    _ = try await other.run("BEGIN IMMEDIATE", role: .begin)
                    let task = try await connection.start("INSERT INTO t VALUES (3, 3)")
                    task.cancel()
                    let result = await task.value
                    #expect(throws: DriverError.self) { try result.get() }
                    if case .failure(let error) = result { #expect(error.cause == .cancelled) }
                }
            }
        }
    }

    @Test func rollbackKeepsTheSessionAndNoneKeepsTheTransaction() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                _ = try await connection.run("CREATE TEMP TABLE scratch (x)")
                _ = try await connection.run("BEGIN IMMEDIATE", role: .begin)
                try await connection.reset(.none, deadline: .soon)
                #expect(connection.transactionStatus == .inTransaction)
                try await connection.reset(.rollback, deadline: .soon)
                #expect(connection.transactionStatus == .idle)
                #expect(try await connection.single("SELECT count(*) FROM scratch") == .int(0))
            }
        }
    }

    @Test func cancelRunningStatementEndsItWithAnErrorOfTheDatabase() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                await connection.cancelRunningStatement(deadline: .soon)  // nothing runs
                let task = try await connection.start(endless)
                await connection.cancelRunningStatement(deadline: .soon)
                let result = await task.value
                #expect(throws: DriverError.self) { try result.get() }
                if case .failure(let error) = result { #expect(error.cause == .embedded(code: "SQLITE_INTERRUPT")) }
                #expect(connection.looksAlive())
                #expect(try await connection.single("SELECT 1") == .int(1))
            }
        }
    }
}
