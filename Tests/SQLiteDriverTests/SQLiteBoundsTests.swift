import ConnectionPool
import RigModel
import SQLiteDriver
import Testing
import Threading

/// Deadlines, cancellation and abort.
@Suite struct SQLiteBoundsTests {
    @Test func deadlineInterruptsAStatementAndTheConnectionGoesOn() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let deadline = MonotonicInstant.now.advanced(by: .seconds(1))
                let error = try await failure { () async throws(DriverError) in
                    try await connection.run(endless, role: .read, deadline: deadline)
                }
                #expect(error.cause == .timedOut)
                #expect(error.requestSent)
                #expect(MonotonicInstant.now >= deadline)
                #expect(connection.transactionStatus == .idle)
                #expect(connection.looksAlive())
                #expect(try await connection.single("SELECT 1") == .int(1))
            }
        }
    }

    @Test func deadlineThatHasPassedSendsNothing() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                let error = try await failure { () async throws(DriverError) in
                    try await connection.run("INSERT INTO t VALUES (1, 1)", deadline: .now)
                }
                #expect(error.cause == .timedOut)
                #expect(!error.requestSent)
                #expect(connection.transactionStatus == .idle)
                #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
            }
        }
    }

    @Test func interruptedWriteRollsItsTransactionBack() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                _ = try await connection.run("BEGIN IMMEDIATE", role: .begin)
                _ = try await connection.run("INSERT INTO t VALUES (1000, 1)")
                let error = try await failure { () async throws(DriverError) in
                    try await connection.run(endlessWrite, deadline: .now.advanced(by: .seconds(1)))
                }
                #expect(error.cause == .timedOut)
                #expect(connection.transactionStatus == .idle)
                #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
            }
        }
    }

    @Test func interruptedReadKeepsItsTransaction() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                _ = try await connection.run("BEGIN IMMEDIATE", role: .begin)
                _ = try await connection.run("INSERT INTO t VALUES (1, 1)")
                _ = try await failure { () async throws(DriverError) in
                    try await connection.run(endless, role: .read, deadline: .now.advanced(by: .seconds(1)))
                }
                #expect(connection.transactionStatus == .inTransaction)
                try await connection.reset(.rollback, deadline: .soon)
                #expect(connection.transactionStatus == .idle)
                #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
            }
        }
    }

    @Test func cancellationInterruptsAStatementAndTheConnectionGoesOn() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let task = try await connection.start(endless)
                task.cancel()
                let result = await task.value
                #expect(throws: DriverError.self) { try result.get() }
                if case .failure(let error) = result { #expect(error.cause == .cancelled) }
                #expect(connection.transactionStatus == .idle)
                #expect(try await connection.single("SELECT 1") == .int(1))
            }
        }
    }

    @Test func cancellationBeforeTheCallSendsNothing() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                let error = await Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    do throws(DriverError) {
                        _ = try await connection.run("INSERT INTO t VALUES (1, 1)")
                        return DriverError?.none
                    } catch { return error }
                }.value
                #expect(error?.cause == .cancelled)
                #expect(error?.requestSent == false)
                #expect(try await connection.single("SELECT count(*) FROM t") == .int(0))
            }
        }
    }

    /// Cancels at random moments, so also between two calls: a late interrupt must never reach the next call.
    @Test func cancellationsNeverReachTheNextCall() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                for _ in 0..<300 {
                    let task = Task { _ = try await connection.run("SELECT 1", role: .read) }
                    await Task.yield()
                    task.cancel()
                    _ = await task.result
                    #expect(try await connection.single("SELECT 2") == .int(2))
                }
            }
        }
    }

    @Test func abortEndsTheRunningCallAndRefusesLaterOnes() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                let task = try await connection.start(endless)
                connection.abort()
                let result = await task.value
                #expect(throws: DriverError.self) { try result.get() }
                if case .failure(let error) = result {
                    #expect(error.cause == .embedded(code: "SQLITE_INTERRUPT"))
                    #expect(!error.provesLoss)
                }
                #expect(!connection.looksAlive())
                #expect(connection.transactionStatus == .unusable)
                let later = try await failure { () async throws(DriverError) in try await connection.run("SELECT 1") }
                #expect(!later.requestSent)
            }
            #expect(database.openDescriptors == [])
        }
    }

    @Test func closeInterruptsWhatStillRuns() async throws {
        try await TemporaryDatabase.with { database async throws in
            let connection = try await SQLiteDriver(database.configuration()).connect(deadline: .soon)
            let task = try await connection.start(endless)
            await connection.close(deadline: .soon)
            let result = await task.value
            #expect(throws: DriverError.self) { try result.get() }
            #expect(database.openDescriptors == [])
        }
    }
}
