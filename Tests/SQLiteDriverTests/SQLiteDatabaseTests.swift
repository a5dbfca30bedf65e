import ConnectionPool
import EventLoop
import Glibc
import RigModel
import SQLiteDriver
import Testing
import Threading

@Suite struct SQLiteDatabaseTests {
    private struct Planned: Error {}

    private static let insert = SQLStatement("INSERT INTO t (v) VALUES ($1)", [.int(1)], role: .write)
    private static let count = SQLStatement("SELECT count(*) FROM t", role: .read)

    private func rows(in database: SQLiteDatabase) async throws -> Int64? {
        try await database.read { reader in try await reader.execute(Self.count).rows.first?.first?.intValue }
    }

    private func withDatabase(_ body: (SQLiteDatabase, TemporaryDatabase) async throws -> Void) async throws {
        try await TemporaryDatabase.with { file async throws in
            let loop = try EventLoop()
            defer { loop.shutdown() }
            var limits = PoolConfiguration()
            limits.acquireTimeout = .seconds(600)
            limits.statementTimeout = .seconds(600)
            // A zero wait for locks: one meeting of two writers would be an error at once.
            let database = try await SQLiteDatabase.open(
                file.configuration(busyTimeout: .zero), readers: 4, limits: limits, runtime: LoopRuntime(loop: loop),
                seed: 1)
            do {
                try await database.write { writer in
                    _ = try await writer.execute(
                        SQLStatement("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", role: .write))
                }
                try await body(database, file)
            } catch {
                _ = await database.close()
                throw error
            }
            #expect(await database.close() == 0)
            #expect(file.openDescriptors == [])
            #expect(access(file.path + "-wal", F_OK) != 0)  // the writer closes last and empties it
        }
    }

    @Test func writersOfOneProcessNeverMeetBusyAndReadersNeverWait() async throws {
        try await withDatabase { database, _ async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        for _ in 0..<25 {
                            try await database.write { writer in
                                // Between the two somebody else would come in, if it could.
                                let before = try await writer.execute(Self.count).rows[0][0].intValue ?? 0
                                _ = try await writer.execute(Self.insert)
                                let after = try await writer.execute(Self.count).rows[0][0].intValue
                                #expect(after == before + 1)
                            }
                            let seen = try await rows(in: database)
                            #expect((seen ?? 0) > 0)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await rows(in: database) == 400)
        }
    }

    @Test func readersCannotWrite() async throws {
        try await withDatabase { database, _ async throws in
            let error = await #expect(throws: DriverError.self) {
                try await database.read { _ = try await $0.execute(Self.insert) }
            }
            #expect(error?.cause == .embedded(code: "SQLITE_READONLY"))
        }
    }

    @Test func snapshotSeesOneMoment() async throws {
        try await withDatabase { database, _ async throws in
            try await database.snapshot { reader in
                let before = try await reader.execute(Self.count).rows
                try await database.write { _ = try await $0.execute(Self.insert) }
                let after = try await reader.execute(Self.count).rows
                #expect(after == before)
            }
            #expect(try await rows(in: database) == 1)
        }
    }

    @Test func writeThatThrowsIsRolledBackAndTheNextOneWorks() async throws {
        try await withDatabase { database, _ async throws in
            await #expect(throws: Planned.self) {
                try await database.write { (writer: borrowing Lease<SQLiteDriver>) async throws -> Void in
                    _ = try await writer.execute(Self.insert)
                    throw Planned()
                }
            }
            try await database.write { _ = try await $0.execute(Self.insert) }
            #expect(try await rows(in: database) == 1)
        }
    }

    @Test func waitForTheWriterEndsAtTheDeadline() async throws {
        try await withDatabase { database, _ async throws in
            try await database.write { (_: borrowing Lease<SQLiteDriver>) async throws -> Void in
                await #expect(throws: PoolError.self) {
                    try await database.write(deadline: .now.advanced(by: .milliseconds(50))) { _ in }
                }
            }
        }
    }

    @Test func backupFromAReader() async throws {
        try await withDatabase { database, _ async throws in
            try await database.write { _ = try await $0.execute(Self.insert) }
            try await TemporaryDatabase.with { copy async throws in
                let path = copy.path
                try await database.read { _ = try await $0.connection.backup(to: path, deadline: .soon) }
                try await copy.withConnection { connection async throws in
                    #expect(try await connection.single("SELECT count(*) FROM t") == .int(1))
                }
            }
        }
    }

    @Test func fileThatCannotBeOpenedLeavesNothing() async throws {
        try await TemporaryDatabase.with { file async throws in
            let loop = try EventLoop()
            defer { loop.shutdown() }
            var limits = PoolConfiguration()
            limits.acquireTimeout = .milliseconds(200)
            await #expect(throws: (any Error).self) {
                _ = try await SQLiteDatabase.open(
                    SQLiteConfiguration(path: file.folder + "/nowhere/x.db"), readers: 2, limits: limits,
                    runtime: LoopRuntime(loop: loop), seed: 1)
            }
            #expect(file.openDescriptors == [])
        }
    }
}
