import CSQLite
import ConnectionPool
import Glibc
import RigModel
import Testing
import Threading

@testable import SQLiteDriver

@Suite struct SQLiteBackupTests {
    private static let rows = 20_000

    /// A database of some hundred pages, and a place for its copy that is removed afterwards.
    private func withRows(
        journalMode: SQLiteConfiguration.JournalMode = .wal,
        _ body: (TemporaryDatabase, TemporaryDatabase) async throws -> Void
    ) async throws {
        try await TemporaryDatabase.with { source async throws in
            try await source.createTable(journalMode: journalMode)
            try await source.withConnection(source.configuration(journalMode: journalMode)) { connection async throws in
                let fill = """
                    WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < \(Self.rows)) \
                    INSERT INTO t SELECT n, hex(n) || ' some more text to fill the page' FROM c
                    """
                _ = try await connection.run(fill)
            }
            try await TemporaryDatabase.with { copy async throws in
                defer { unlink(copy.path + "-partial") }
                try await body(source, copy)
            }
        }
    }

    private func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    private func expectWhole(_ database: TemporaryDatabase, rows: Int = Self.rows) async throws {
        try await database.withConnection(database.configuration(journalMode: nil)) { connection async throws in
            #expect(try await connection.single("SELECT count(*) FROM t") == .int(Int64(rows)))
            #expect(try await connection.single("PRAGMA integrity_check") == .text("ok"))
        }
    }

    @Test(arguments: [SQLiteConfiguration.JournalMode.wal, .delete])
    func copyIsWhole(mode: SQLiteConfiguration.JournalMode) async throws {
        try await withRows(journalMode: mode) { source, copy async throws in
            try await source.withConnection(source.configuration(journalMode: mode)) { connection async throws in
                let pages = try await connection.backup(to: copy.path, pagesPerStep: 10, deadline: .soon)
                #expect(try await connection.single("PRAGMA page_count") == .int(Int64(pages)))
                #expect(connection.transactionStatus == .idle)
            }
            #expect(!exists(copy.path + "-partial"))
            try await expectWhole(copy)
            #expect(copy.openDescriptors == [])
        }
    }

    /// In WAL mode the copy is of one moment, and the writers need not wait for it.
    @Test func writersGoOnDuringABackup() async throws {
        try await withRows { source, copy async throws in
            try await source.withConnection { reader async throws in
                try await source.withConnection { writer async throws in
                    let (inserts, isDone) = (Shared(0), Shared(false))
                    let writes = Task {
                        defer { isDone.value = true }
                        while !isDone.value {
                            _ = try await writer.run("INSERT INTO t (v) VALUES (1)")
                            inserts.value += 1
                        }
                    }
                    while inserts.value == 0, !isDone.value { await Task.yield() }
                    // A busy machine may not let the writer run while one copy is made: then it is made again.
                    let limit = MonotonicInstant.soon
                    var before = 0
                    repeat {
                        unlink(copy.path)
                        before = inserts.value
                        _ = try await reader.backup(to: copy.path, pagesPerStep: 1, deadline: .soon)
                    } while inserts.value == before && !isDone.value && .now < limit
                    let written = inserts.value
                    isDone.value = true
                    try await writes.value
                    #expect(written > before)
                    let seen = try await reader.single("SELECT count(*) FROM t").intValue
                    #expect(seen == Int64(Self.rows + inserts.value))
                }
            }
            try await copy.withConnection(copy.configuration(journalMode: nil)) { connection async throws in
                #expect(try await connection.single("PRAGMA integrity_check") == .text("ok"))
                let kept = try #require(try await connection.single("SELECT count(*) FROM t").intValue)
                #expect(kept >= Int64(Self.rows))
            }
        }
    }

    @Test func existingDestinationIsNeverOverwritten() async throws {
        try await withRows { source, copy async throws in
            try await copy.createTable()
            try await source.withConnection { connection async throws in
                let error = try await failure { () async throws(DriverError) in
                    try await connection.backup(to: copy.path, deadline: .soon)
                }
                #expect(error.cause == .embedded(code: "SQLITE_CANTOPEN"))
                #expect(error.message.contains("exists"))
                #expect(connection.transactionStatus == .idle)
            }
            try await expectWhole(copy, rows: 0)
        }
    }

    /// A backup that waits for a lock in its first step until `body` ends it. Its file exists already.
    private func withWaitingBackup(
        _ body: (TemporaryDatabase, SQLiteConnection, Task<DriverError, any Error>) async throws -> Void
    ) async throws {
        try await withRows(journalMode: .delete) { source, copy async throws in
            let configuration = source.configuration(journalMode: .delete)
            let connection = try await SQLiteDriver(configuration).connect(deadline: .soon)
            try await source.withConnection(configuration) { other async throws in
                _ = try await other.run("BEGIN EXCLUSIVE", role: .begin)
                let task = Task { () async throws -> DriverError in
                    try await failure { () async throws(DriverError) in
                        try await connection.backup(to: copy.path, deadline: .soon)
                    }
                }
                let limit = MonotonicInstant.soon
                while !exists(copy.path + "-partial") {
                    try #require(MonotonicInstant.now < limit)
                    await Task.yield()
                }
                try await body(copy, connection, task)
                #expect(!exists(copy.path))
                #expect(!exists(copy.path + "-partial"))
                #expect(copy.openDescriptors == [])
            }
            await connection.close(deadline: .soon)
            #expect(source.openDescriptors == [])
            try await expectWhole(source)
        }
    }

    @Test func cancelledBackupLeavesNothingAndTheConnectionGoesOn() async throws {
        try await withWaitingBackup { _, connection, task async throws in
            task.cancel()
            #expect(try await task.value.cause == .cancelled)
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func closeDuringABackupKeepsTheSourceAndLeavesNoHalfCopy() async throws {
        try await withWaitingBackup { _, connection, task async throws in
            await connection.close(deadline: .soon)
            _ = try await task.value
        }
    }

    @Test(arguments: [SQLiteConfiguration.JournalMode.wal, .delete])
    func closeBetweenTwoStepsKeepsTheSourceAndLeavesNoHalfCopy(mode: SQLiteConfiguration.JournalMode) async throws {
        try await withRows(journalMode: mode) { source, copy async throws in
            let handle = SQLiteHandle()
            try handle.open(source.configuration(journalMode: mode))
            try handle.beginBackup(to: copy.path, pagesPerStep: 5)
            guard case .more = try handle.stepBackup() else {
                Issue.record("the source has only five pages")
                return
            }
            #expect(exists(copy.path + "-partial"))
            #expect(handle.close() == [])
            #expect(!exists(copy.path))
            #expect(!exists(copy.path + "-partial"))
            #expect(!exists(copy.path + "-partial-journal"))
            #expect(copy.openDescriptors == [])
            #expect(source.openDescriptors == [])
            try await expectWhole(source)
        }
    }

    /// Outside WAL a writer makes the copy begin anew; the copy still comes to its end, and is of one moment.
    @Test func backupOutsideWALOvertakesItsWriters() async throws {
        try await withRows(journalMode: .delete) { source, copy async throws in
            let handle = SQLiteHandle()
            try handle.open(source.configuration(journalMode: .delete))
            try handle.beginBackup(to: copy.path, pagesPerStep: 1)
            var steps = 0
            while case .more = try handle.stepBackup() {
                steps += 1
                try #require(steps < 40, "the steps do not grow")
                try await source.withConnection(source.configuration(journalMode: .delete)) { writer async throws in
                    _ = try await writer.run("INSERT INTO t (v) VALUES (1)")
                }
            }
            #expect(steps > 1)
            #expect(handle.close() == [])
            try await expectWhole(copy, rows: Self.rows + steps)
        }
    }

    @Test func lateBackupBeginsNothing() async throws {
        try await withRows { source, copy async throws in
            try await source.withConnection { connection async throws in
                let late = try await failure { () async throws(DriverError) in
                    try await connection.backup(to: copy.path, deadline: .now)
                }
                #expect(late.cause == .timedOut)
                #expect(!exists(copy.path))
                #expect(!exists(copy.path + "-partial"))
            }
        }
    }

    /// A backup that somebody else runs with SQLite's own functions, from and to handles that close under it.
    @Test func foreignBackupIsReportedAtCloseAndGoesOn() async throws {
        try await withRows { source, copy async throws in
            let from = SQLiteHandle()
            try from.open(source.configuration())
            let into = SQLiteHandle()
            try into.open(copy.configuration(journalMode: nil))
            let backup = try #require(sqlite3_backup_init(into.database, "main", from.database, "main"))
            #expect(sqlite3_backup_step(backup, 5) == SQLITE_OK)
            let leaked = from.close()
            #expect(leaked.count == 1)
            #expect(leaked.first?.contains("sqlite3_backup") == true)
            #expect(sqlite3_backup_step(backup, -1) == SQLITE_DONE)
            #expect(sqlite3_backup_finish(backup) == SQLITE_OK)
            #expect(into.close() == [])
            #expect(source.openDescriptors == [])
            try await expectWhole(source)
            try await expectWhole(copy)
        }
    }

    @Test func openBlobIsReportedAtCloseAndNotFreedTwice() async throws {
        try await withRows { source, _ async throws in
            let handle = SQLiteHandle()
            try handle.open(source.configuration())
            var blob: OpaquePointer?
            #expect(sqlite3_blob_open(handle.database, "main", "t", "v", 1, 0, &blob) == SQLITE_OK)
            #expect(handle.close().count == 1)
            #expect(sqlite3_blob_close(blob) == SQLITE_OK)
            #expect(source.openDescriptors == [])
            try await expectWhole(source)
        }
    }

    @Test func backupInsideATransactionIsRefused() async throws {
        try await withRows { source, copy async throws in
            try await source.withConnection { connection async throws in
                _ = try await connection.run("BEGIN", role: .begin)
                let error = try await failure { () async throws(DriverError) in
                    try await connection.backup(to: copy.path, deadline: .soon)
                }
                #expect(error.cause == .embedded(code: "SQLITE_MISUSE"))
                #expect(connection.transactionStatus == .inTransaction)
            }
        }
    }
}
