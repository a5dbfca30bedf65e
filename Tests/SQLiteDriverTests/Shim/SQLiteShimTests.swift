import ConnectionPool
import Glibc
import RigModel
import Testing
import Threading

@testable import SQLiteDriver

extension TemporaryDatabase {
    /// A connection through the shim, beside what a test opens by itself.
    fileprivate func throughShim(_ shim: SQLiteShim) -> SQLiteConfiguration {
        var configuration = configuration(journalMode: nil)
        configuration.fileSystem = shim.name
        return configuration
    }

    /// `ok` where the file is whole, as a connection sees it that knows nothing of the shim.
    fileprivate func integrity() async throws -> String? {
        try await withConnection(configuration(journalMode: nil)) { connection in
            try await connection.run("PRAGMA integrity_check").rows.first?.first?.textValue
        }
    }

    fileprivate func ids() async throws -> [Int64?] {
        try await withConnection(configuration(journalMode: nil)) { connection in
            try await connection.run("SELECT id FROM t ORDER BY id").rows.map { $0.first?.intValue }
        }
    }
}

/// The shim in front of SQLite's own file system, on real files.
@Suite struct SQLiteShimTests {
    @Test(
        "A call that fails gives the code that SQLite's own file system gives",
        arguments: [
            (SQLiteCall.write, SQLiteFailure.ioError, "INSERT INTO t VALUES (1, 1)", "SQLITE_IOERR_WRITE"),
            (.write, .diskFull, "INSERT INTO t VALUES (1, 1)", "SQLITE_FULL"),
            (.writeLock, .readOnly, "BEGIN IMMEDIATE", "SQLITE_READONLY"),
            (.read, .ioError, "SELECT * FROM t", "SQLITE_IOERR_READ"),
            (.sync, .ioError, "PRAGMA wal_checkpoint(FULL)", "SQLITE_IOERR_FSYNC"),
        ])
    func failingCallGivesItsCode(
        _ call: SQLiteCall, _ failure: SQLiteFailure, _ text: String, _ code: String
    ) async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            try await database.withConnection(database.throughShim(shim)) { connection in
                _ = try await connection.run("INSERT INTO t VALUES (100, 1)")
                if call == .read {
                    // What somebody else writes empties the cache.
                    try await database.withConnection { _ = try await $0.run("INSERT INTO t VALUES (200, 1)") }
                }
                let id = shim.begin(SQLiteDisturbance(.fail(failure), on: [call]))
                let error = await #expect(throws: DriverError.self) { try await connection.run(text) }
                #expect(error?.cause.code == code)
                #expect(shim.effect(of: id).hits > 0)
                shim.end(id)
                #expect(connection.transactionStatus == .idle)
                _ = try await connection.run("INSERT INTO t VALUES (300, 1)")
            }
            #expect(try await database.integrity() == "ok")
        }
    }

    /// In WAL mode the end of each connection asks for the exclusive lock of the file.
    @Test("Whoever only reads and goes asks for no write lock", arguments: [SQLiteConfiguration.JournalMode.wal, nil])
    func readerThatGoesAsksForNoWriteLock(_ mode: SQLiteConfiguration.JournalMode?) async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable(journalMode: mode)
            let shim = SQLiteShim()
            // Somebody else is there, so that the log is, too.
            try await database.withConnection(database.configuration(journalMode: nil)) { other in
                _ = try await other.run("INSERT INTO t VALUES (1, 1)")
                let id = shim.begin(SQLiteDisturbance(.fail(.readOnly), on: [.writeLock]))
                for _ in 1...3 {
                    try await database.withConnection(database.throughShim(shim)) { connection in
                        _ = try await connection.run("SELECT * FROM t")
                    }
                }
                #expect(shim.effect(of: id) == SQLiteShim.Effect())
                #expect(shim.counts.calls[.writeLock, default: 0] == 0)
                await #expect(throws: DriverError.self) {
                    try await database.withConnection(database.throughShim(shim)) { connection in
                        _ = try await connection.run("INSERT INTO t VALUES (2, 1)")
                    }
                }
                #expect(shim.effect(of: id).hits > 0)
                shim.end(id)
            }
        }
    }

    @Test func whoOnlyLooksMeetsDisturbancesAndCountsForNone() async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            var looking = database.throughShim(shim)
            looking.fileSystem = shim.uncountedName
            var once = SQLiteDisturbance(.fail(.readOnly), on: [.writeLock])
            once.times = 1
            let id = shim.begin(once)
            let slow = shim.begin(SQLiteDisturbance(.delay(.seconds(100_000)), on: [.open, .read, .writeLock]))
            for _ in 1...2 {
                let error = await #expect(throws: DriverError.self) {
                    try await database.withConnection(looking) { _ = try await $0.run("BEGIN IMMEDIATE") }
                }
                #expect(error?.cause.code == "SQLITE_READONLY")
            }
            #expect(Set(shim.active.keys) == [id, slow])
            #expect([id, slow].map(shim.effect) == [SQLiteShim.Effect(), SQLiteShim.Effect()])
            #expect(shim.counts == SQLiteShim.Counts())
            shim.end(id)
            shim.end(slow)
            try await database.withConnection(looking) { _ = try await $0.run("INSERT INTO t VALUES (1, 1)") }
        }
    }

    @Test func refusalIsExplainedByWhatMakesSuchOnes() {
        let made: [(SQLiteDisturbance.Effect, String)] = [
            (.fail(.ioError), "SQLITE_IOERR_WRITE"), (.fail(.diskFull), "SQLITE_FULL"),
            (.fail(.readOnly), "SQLITE_READONLY"), (.delay(.seconds(1)), "SQLITE_BUSY"), (.spoil, "SQLITE_NOTADB"),
        ]
        for (effect, _) in made {
            let codes = made.map(\.1).filter { SQLiteDisturbance(effect, on: [.write]).explains($0) }
            #expect(codes == made.filter { $0.0 == effect }.map(\.1))
        }
    }

    @Test func fileThatCannotBeOpenedIsACleanError() async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            let id = shim.begin(SQLiteDisturbance(.fail(.ioError), on: [.open]))
            let error = await #expect(throws: DriverError.self) {
                try await database.withConnection(database.throughShim(shim)) { _ in }
            }
            #expect(error?.cause.code == "SQLITE_CANTOPEN")
            #expect(database.openDescriptors == [])
            shim.end(id)
            try await database.withConnection(database.throughShim(shim)) { _ in }
            #expect(shim.counts.calls[.open, default: 0] >= 2)
        }
    }

    /// After SQLite's own tests: the N-th call fails, for every N until everything succeeds, once and for good.
    @Test("Whatever write fails, a transaction is there as a whole or not at all", arguments: [1, nil])
    func everyFailingWriteLeavesAWholeTransactionOrNone(_ times: Int?) async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            var expected: [Int64] = []
            var failures = 0
            for first in 1...200 {
                var disturbance = SQLiteDisturbance(.fail(.ioError), on: [.write, .sync])
                disturbance.first = first
                disturbance.times = times
                let ids = [Int64(first) * 10, Int64(first) * 10 + 1]
                let worked = try await database.withConnection(database.throughShim(shim)) {
                    connection async throws -> Bool? in
                    let id = shim.begin(disturbance)
                    defer { shim.end(id) }
                    do throws(DriverError) {
                        _ = try await connection.run("BEGIN IMMEDIATE")
                        for id in ids { _ = try await connection.run("INSERT INTO t VALUES (\(id), zeroblob(5000))") }
                        _ = try await connection.run("COMMIT")
                        _ = try? await connection.run("PRAGMA wal_checkpoint(FULL)")
                        return shim.effect(of: id).hits == 0 ? nil : true
                    } catch {
                        #expect(error.cause.code?.hasPrefix("SQLITE_IOERR") == true)
                        _ = try? await connection.execute(.rollback, deadline: .soon)
                        #expect(connection.transactionStatus == .idle)
                        return false
                    }
                }
                if worked != false { expected += ids } else { failures += 1 }
                #expect(try await database.ids() == expected)
                #expect(try await database.integrity() == "ok")
                if worked == nil { break }
                #expect(first < 200, "there was always one more write to fail")
            }
            #expect(failures > 3)
        }
    }

    @Test func connectionThatMetADamagedPageIsNotUsedAgainAndTheFileIsWell() async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            try await database.withConnection { _ = try await $0.run("INSERT INTO t VALUES (1, 1)") }
            let shim = SQLiteShim()
            let driver = SQLiteDriver(database.throughShim(shim))
            let connection = try await driver.connect(deadline: .soon)
            var disturbance = SQLiteDisturbance(.spoil, on: [.read])
            disturbance.times = 1
            // The schema is known by now; the page of the table is read next.
            _ = try await connection.run("SELECT count(*) FROM sqlite_master")
            let id = shim.begin(disturbance)
            let error = await #expect(throws: DriverError.self) { try await connection.run("SELECT * FROM t") }
            #expect(["SQLITE_CORRUPT", "SQLITE_NOTADB"].contains(error?.cause.code))
            shim.end(id)
            #expect(connection.transactionStatus == .unusable)
            await connection.close(deadline: .soon)
            #expect(driver.leakedStatements == [])
            let rows = try await database.withConnection(database.throughShim(shim)) { connection async throws in
                try await connection.run("SELECT * FROM t").rows
            }
            #expect(rows.count == 1)
            #expect(try await database.integrity() == "ok")
        }
    }

    @Test func noDamagedPageGetsIntoTheFile() async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            // Kept open, so that the log is not moved into the database by a close.
            try await database.withConnection { beside in
                try await database.withConnection(database.throughShim(shim)) { connection in
                    for id in 1...50 { _ = try await connection.run("INSERT INTO t VALUES (\(id), zeroblob(3000))") }
                    // Free pages: their list is changed in place.
                    _ = try await connection.run("DELETE FROM t WHERE id > 25")
                    let id = shim.begin(SQLiteDisturbance(.spoil, on: [.read]))
                    // Reads every page of the log, and writes it into the database.
                    _ = try? await connection.run("PRAGMA wal_checkpoint(FULL)")
                    #expect(shim.effect(of: id).hits > 10)
                    for id in 51...60 {
                        _ = try? await connection.run("INSERT INTO t VALUES (\(id), zeroblob(3000))")
                    }
                    shim.end(id)
                }
                #expect(try await beside.run("SELECT count(*) FROM t WHERE id <= 25").rows == [[.int(25)]])
            }
            #expect(try await database.integrity() == "ok")
        }
    }

    @Test func delayedCallGoesOnWhenItsDisturbanceEnds() async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            try await database.withConnection(database.throughShim(shim)) { connection in
                let short = shim.begin(SQLiteDisturbance(.delay(.milliseconds(30)), on: [.write]))
                let startedAt = MonotonicInstant.now
                _ = try await connection.run("INSERT INTO t VALUES (1, 1)")
                let writes = shim.effect(of: short).hits
                #expect(writes > 0)
                #expect(startedAt.duration(to: .now) >= .milliseconds(30) * writes)
                shim.end(short)

                let endless = shim.begin(SQLiteDisturbance(.delay(.seconds(100_000)), on: [.write]))
                async let written = connection.run("INSERT INTO t VALUES (2, 1)")
                while shim.effect(of: endless).hits == 0 { await Task.yield() }
                shim.end(endless)
                _ = try await written
            }
            #expect(try await database.ids() == [1, 2])
        }
    }

    @Test func busyWritersAreCounted() async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            let locker = SQLiteLocker(path: database.path, limit: .seconds(600))
            try await locker.lock()
            var configuration = database.throughShim(shim)
            configuration.busyTimeout = .zero
            try await database.withConnection(configuration) { connection in
                let error = await #expect(throws: DriverError.self) { try await connection.run("BEGIN IMMEDIATE") }
                #expect(error?.cause.code == "SQLITE_BUSY")
            }
            #expect(shim.counts.busy > 0)
            try await locker.unlock()
        }
    }

    @Test func connectionWhoseNameLeadsElsewhereIsFoundOut() async throws {
        try await TemporaryDatabase.with { database in
            try await database.createTable()
            let shim = SQLiteShim()
            let copy = database.folder + "/copy.db"
            defer { unlink(copy) }
            try await database.withConnection(database.throughShim(shim)) { old in
                _ = try await old.run("INSERT INTO t VALUES (1, 1)")
                try await old.backup(to: copy, deadline: .soon)
                try await old.check(deadline: .soon)
                shim.lead(database.path, to: copy)
                // It goes on with the file that it has.
                _ = try await old.run("INSERT INTO t VALUES (2, 1)")
                try await database.withConnection(database.throughShim(shim)) { new in
                    #expect(try await new.run("SELECT id FROM t").rows == [[.int(1)]])
                    try await new.check(deadline: .soon)
                    shim.lead(database.path, to: nil)
                    await #expect(throws: DriverError.self) { try await new.check(deadline: .soon) }
                    #expect(new.transactionStatus == .unusable)
                }
                try await old.check(deadline: .soon)
                shim.lead(database.path, to: copy)
                let error = await #expect(throws: DriverError.self) { try await old.check(deadline: .soon) }
                #expect(error?.cause.code == "SQLITE_READONLY_DBMOVED")
                #expect(old.transactionStatus == .unusable)
            }
            #expect(try await database.ids() == [1, 2])
        }
    }
}

@Test func connectionWhoseFileWasReallyReplacedIsFoundOut() async throws {
    try await TemporaryDatabase.with { database in
        try await database.createTable()
        let copy = database.folder + "/copy.db"
        try await database.withConnection { connection in
            try await connection.backup(to: copy, deadline: .soon)
            try await connection.check(deadline: .soon)
            #expect(rename(copy, database.path) == 0)
            let error = await #expect(throws: DriverError.self) { try await connection.check(deadline: .soon) }
            #expect(error?.cause.code == "SQLITE_READONLY_DBMOVED")
            #expect(connection.transactionStatus == .unusable)
        }
    }
}
