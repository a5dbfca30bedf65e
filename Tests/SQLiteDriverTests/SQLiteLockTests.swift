import ConnectionPool
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

/// What happens when somebody else has the lock.
@Suite struct SQLiteLockTests {
    @Test func lockHeldElsewhereIsBusyAtTheDeadline() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            try await locker.lock()
            try await database.withConnection { connection async throws in
                let (error, deadline) = try await withGrowingPatience(milliseconds: 1000) { deadline in
                    try await failure { () async throws(DriverError) in
                        try await connection.run("INSERT INTO t VALUES (1, 1)", deadline: deadline)
                    }
                } hasBegun: {
                    $0.cause != .timedOut
                }
                #expect(error.cause == .busy(code: "SQLITE_BUSY"))
                #expect(MonotonicInstant.now >= deadline)
                #expect(connection.transactionStatus == .idle)
                #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))  // WAL: readers go on

                try await locker.unlock()
                #expect(try await connection.run("INSERT INTO t VALUES (1, 1)").affectedRows == 1)
            }
        }
    }

    @Test func busyLimitEndsTheWaitLongBeforeTheDeadline() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            try await locker.lock()
            try await database.withConnection(database.configuration(busyTimeout: .milliseconds(20))) {
                connection async throws in
                let begin = MonotonicInstant.now
                let deadline = begin.advanced(by: .seconds(600))
                let error = try await failure { () async throws(DriverError) in
                    try await connection.run("BEGIN IMMEDIATE", role: .begin, deadline: deadline)
                }
                #expect(error.cause == .busy(code: "SQLITE_BUSY"))
                #expect(MonotonicInstant.now >= begin.advanced(by: .milliseconds(20)))
                #expect(MonotonicInstant.now < deadline)
            }
            try await locker.unlock()
        }
    }

    @Test func waitingWriterGetsTheLockOnceItIsFree() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            try await locker.lock()
            try await database.withConnection { connection async throws in
                let task = try await connection.start("INSERT INTO t VALUES (1, 1)")
                try await locker.unlock()
                #expect(try await task.value.get().affectedRows == 1)
            }
        }
    }

    @Test func cancellationEndsAWaitForTheLock() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            try await locker.lock()
            try await database.withConnection { connection async throws in
                let task = try await connection.start("INSERT INTO t VALUES (1, 1)")
                task.cancel()
                let result = await task.value
                #expect(throws: DriverError.self) { try result.get() }
                if case .failure(let error) = result { #expect(error.cause == .cancelled) }
                #expect(connection.transactionStatus == .idle)
                try await locker.unlock()
                #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
            }
        }
    }

    @Test func staleSnapshotIsBusyAtOnce() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { reader async throws in
                _ = try await reader.run("BEGIN", role: .begin)
                _ = try await reader.single("SELECT count(*) FROM t")
                try await database.withConnection { writer async throws in
                    _ = try await writer.run("INSERT INTO t VALUES (1, 1)")
                }
                let error = try await failure { () async throws(DriverError) in
                    try await reader.run("INSERT INTO t VALUES (2, 2)")
                }
                #expect(error.cause == .busy(code: "SQLITE_BUSY_SNAPSHOT"))
                #expect(reader.transactionStatus == .inTransaction)
                try await reader.reset(.rollback, deadline: .soon)
                #expect(try await reader.run("INSERT INTO t VALUES (2, 2)").affectedRows == 1)
            }
        }
    }

    /// Outside WAL a COMMIT needs the readers gone. It fails as a whole and may be tried again.
    @Test func busyCommitKeepsItsTransaction() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable(journalMode: .delete)
            let configuration = database.configuration(journalMode: .delete, busyTimeout: .milliseconds(20))
            try await database.withConnection(configuration) { reader async throws in
                try await database.withConnection(configuration) { writer async throws in
                    _ = try await reader.run("BEGIN", role: .begin)
                    _ = try await reader.single("SELECT count(*) FROM t")
                    _ = try await writer.run("BEGIN IMMEDIATE", role: .begin)
                    _ = try await writer.run("INSERT INTO t VALUES (1, 1)")
                    let error = try await failure { () async throws(DriverError) in
                        try await writer.execute(.commit, deadline: .soon)
                    }
                    #expect(error.cause == .busy(code: "SQLITE_BUSY"))
                    #expect(writer.transactionStatus == .inTransaction)

                    try await reader.reset(.rollback, deadline: .soon)
                    _ = try await writer.execute(.commit, deadline: .soon)
                    #expect(writer.transactionStatus == .idle)
                    #expect(try await reader.single("SELECT count(*) FROM t") == .int(1))
                }
            }
        }
    }

    @Test func sixteenWritersLoseNothing() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<16 {
                    group.addTask {
                        try await database.withConnection { connection async throws in
                            for row in 0..<20 {
                                _ = try await connection.run("BEGIN IMMEDIATE", role: .begin)
                                _ = try await connection.run(
                                    "INSERT INTO t (v) VALUES ($1)", [.int(Int64(writer * 20 + row))])
                                _ = try await connection.execute(.commit, deadline: .soon)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await database.withConnection { connection async throws in
                #expect(try await connection.single("SELECT count(DISTINCT v) FROM t") == .int(320))
                #expect(try await connection.single("PRAGMA integrity_check") == .text("ok"))
            }
            #expect(database.openDescriptors == [])
        }
    }
}
