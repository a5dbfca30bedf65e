import ConnectionPool
import RigModel
import SQLiteDriver
import Testing
import Threading

@Suite struct SQLiteLockerTests {
    @Test func tryWriteTellsWhetherTheLockIsHeld() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            #expect(await locker.tryWrite() == "SQLITE_OK")
            try await locker.lock()
            try await locker.lock()
            #expect(await locker.tryWrite() == "SQLITE_BUSY")
            try await locker.unlock()
            try await locker.unlock()
            #expect(await locker.tryWrite() == "SQLITE_OK")
            #expect(database.openDescriptors == [])
        }
    }

    @Test func lockThatSomebodyElseHasIsBusyAndCanBeTriedAgain() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            let first = SQLiteLocker(path: database.path, limit: .seconds(600))
            let second = SQLiteLocker(path: database.path, limit: .milliseconds(50), patience: .seconds(600))
            try await first.lock()
            await #expect {
                try await second.lock()
            } throws: {
                ($0 as? DriverError)?.cause == .busy(code: "SQLITE_BUSY")
            }
            try await first.unlock()
            try await SQLiteLocker(path: database.path, limit: .seconds(600)).lockAndUnlock()
            #expect(database.openDescriptors == [])
        }
    }

    @Test func lockerWorksOutsideWALAndKeepsTheMode() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable(journalMode: .delete)
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            try await locker.lock()
            #expect(await locker.tryWrite() == "SQLITE_BUSY")
            try await locker.unlock()
            try await database.withConnection(database.configuration(journalMode: nil)) { connection async throws in
                #expect(try await connection.single("PRAGMA journal_mode") == .text("delete"))
            }
        }
    }

    @Test func missingFileIsNotCreated() async throws {
        try await TemporaryDatabase.with { database async throws in
            #expect(await SQLiteLocker(path: database.path, limit: .seconds(600)).tryWrite() == "SQLITE_CANTOPEN")
        }
    }
}

extension SQLiteLocker {
    fileprivate func lockAndUnlock() async throws {
        try await lock()
        try await unlock()
    }
}
