import ConnectionPool
import FaultInjection
import HostSystem
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

@testable import Orchestrator

@Suite struct SQLiteFileControlTests {
    /// A database in WAL mode with a table and some pages in its log, a connection through the shim, and the control.
    private func with(
        _ body: (SQLiteFileControl, SQLiteShim, SQLiteConnection) async throws -> Void
    ) async throws {
        let folder = try TemporaryFolder()
        let journal = try Journal.create(at: folder.file("journal.jsonl"))
        let scratch = try RunScratch(runID: RunScratch.newRunID(), journal: journal, in: [folder.path, "/tmp"])
        let shim = SQLiteShim()
        let control = SQLiteFileControl(path: folder.file("x.db"), shim: shim, scratch: scratch, journal: journal)
        let driver = SQLiteDriver(SQLiteConfiguration(path: folder.file("x.db"), fileSystem: shim.name))
        let connection = try await driver.connect(deadline: .distantFuture)
        do {
            try await run("CREATE TABLE t (id INTEGER PRIMARY KEY)", on: connection)
            try await body(control, shim, connection)
        } catch {
            await connection.close(deadline: .distantFuture)
            throw error
        }
        await connection.close(deadline: .distantFuture)
        try await scratch.remove()
    }

    @discardableResult
    private func run(_ text: String, on connection: SQLiteConnection) async throws -> SQLResult {
        try await connection.execute(SQLStatement(text, role: .write), deadline: .distantFuture)
    }

    @Test func checkpointWaitsForOneThatSomebodyElseMakes() async throws {
        try await with { control, shim, connection in
            let driver = SQLiteDriver(SQLiteConfiguration(path: try await path(of: connection)))
            let slow = shim.begin(SQLiteDisturbance(.delay(.seconds(100_000)), on: [.sync]))
            async let other = run("PRAGMA wal_checkpoint(FULL)", on: connection)
            while shim.effect(of: slow).hits == 0 { await Task.yield() }
            async let waiting = control.checkpoint(within: .seconds(100_000))
            // While it lasts there are no numbers to be had. Asked so often, that the other has asked meanwhile, too.
            for _ in 0..<50 {
                let beside = try await driver.connect(deadline: .distantFuture)
                let answer = try await run("PRAGMA wal_checkpoint(PASSIVE)", on: beside).rows.first
                #expect(answer == [.int(1), .int(-1), .int(-1)])
                await beside.close(deadline: .distantFuture)
            }
            shim.end(slow)
            let state = try await waiting
            #expect(state.pages > 0 && state.checkpointed == state.pages)
            _ = try await other
        }
    }

    @Test func lookOfTheRigCountsForNoFaultAndRefusalsOfOthersAreExplained() async throws {
        try await with { control, shim, connection in
            try await run("BEGIN IMMEDIATE", on: connection)
            #expect(await control.tryWriteAsPool() == "SQLITE_BUSY")
            #expect(control.busyLocks() == 0)
            #expect(control.explanation(of: "SQLITE_BUSY", besides: []) == nil)
            try await run("ROLLBACK", on: connection)

            let id = control.begin(FileDisturbance(.readOnly, on: .write))
            #expect(await control.tryWriteAsPool() == "SQLITE_READONLY")
            #expect(control.effect(of: id) == (0, 0))
            #expect(control.explanation(of: "SQLITE_READONLY", besides: []) != nil)
            #expect(control.explanation(of: "SQLITE_READONLY", besides: [id]) == nil)
            #expect(control.explanation(of: "SQLITE_BUSY", besides: []) == nil)
            control.end(id)
            #expect(control.explanation(of: "SQLITE_READONLY", besides: []) == nil)

            _ = try await control.replace()
            // Newer libraries let a writing transaction begin on it, older ones do not.
            #expect(await ["SQLITE_OK", "SQLITE_READONLY"].contains(control.tryWriteAsPool()))
            #expect(control.explanation(of: "SQLITE_READONLY", besides: []) != nil)
            _ = try await control.restore()
            #expect(control.explanation(of: "SQLITE_READONLY", besides: []) == nil)
        }
    }

    @Test func endlessReaderKeepsTheLogFromBeingCheckpointed() async throws {
        try await with { control, _, connection in
            try await run("BEGIN", on: connection)
            try await run("SELECT count(*) FROM t", on: connection)
            let driver = SQLiteDriver(SQLiteConfiguration(path: try await path(of: connection)))
            let writer = try await driver.connect(deadline: .distantFuture)
            try await run("INSERT INTO t VALUES (1)", on: writer)
            let held = try await control.checkpoint(within: .seconds(100_000))
            #expect(held.checkpointed < held.pages)
            #expect(control.logBytes() > 0)
            try await run("ROLLBACK", on: connection)
            let free = try await control.checkpoint(within: .seconds(100_000))
            #expect(free.checkpointed == free.pages)
            await writer.close(deadline: .distantFuture)
        }
    }

    @Test func replacedFileCanBeReadAndNotWrittenAndTheOriginalComesBack() async throws {
        try await with { control, shim, connection in
            try await run("INSERT INTO t VALUES (1)", on: connection)
            let file = SQLiteConfiguration(path: try await path(of: connection), fileSystem: shim.name)
            let replaced = try await control.replace()
            #expect(replaced.inode != replaced.originalInode)
            #expect(control.openOnReplacement() == 0)
            let other = try await SQLiteDriver(file).connect(deadline: .distantFuture)
            #expect(control.openOnReplacement() > 0)
            #expect(try await run("SELECT id FROM t", on: other).rows == [[.int(1)]])
            let error = await #expect(throws: DriverError.self) {
                _ = try await other.execute(
                    SQLStatement("INSERT INTO t VALUES (2)", role: .write), deadline: .distantFuture)
            }
            #expect(error?.cause.code == "SQLITE_READONLY")
            // The original goes on under connections that have it.
            try await run("INSERT INTO t VALUES (3)", on: connection)
            let restored = try await control.restore()
            #expect(restored.inode == replaced.originalInode)
            #expect(await control.tryWriteAsPool() == "SQLITE_OK")
            await other.close(deadline: .distantFuture)
            #expect(control.openOnReplacement() == 0)
            #expect(try await run("SELECT id FROM t", on: connection).rows == [[.int(1)], [.int(3)]])
        }
    }

    private func path(of connection: SQLiteConnection) async throws -> String {
        let rows = try await run("PRAGMA database_list", on: connection).rows
        return try #require(rows.first?.last?.textValue)
    }

    @Test(arguments: [
        FileWork.holdWriteLock, .read, .takeWriteLock(hold: .milliseconds(300), every: .milliseconds(400)),
    ])
    func workOfTheOtherProcessIsReadAsItWasWritten(_ work: FileWork) {
        #expect(FileWork(words: work.words) == work)
        #expect(FileWork(words: work.words + ["more"]) == nil)
    }
}
