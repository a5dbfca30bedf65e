import ConnectionPool
import Glibc
import RigModel
import SQLiteDriver
import Testing
import Threading

@Suite struct SQLiteConnectTests {
    @Test func newFileIsInWALWithItsSettings() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.withConnection { connection async throws in
                #expect(try await connection.single("PRAGMA journal_mode") == .text("wal"))
                #expect(try await connection.single("PRAGMA synchronous") == .int(1))
                #expect(try await connection.single("PRAGMA foreign_keys") == .int(1))
                #expect(connection.backendPID == nil)
                #expect(connection.looksAlive())
                #expect(connection.transactionStatus == .idle)
                try await connection.check(deadline: .soon)
            }
        }
    }

    @Test func journalModeIsLeftAloneOnRequest() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable(journalMode: .delete)
            try await database.withConnection(database.configuration(journalMode: nil)) { connection async throws in
                #expect(try await connection.single("PRAGMA journal_mode") == .text("delete"))
            }
        }
    }

    @Test func databaseThatCannotBeInWALIsRefused() async throws {
        let driver = SQLiteDriver(SQLiteConfiguration(path: ":memory:"))
        let error = try await failure { () async throws(DriverError) in try await driver.connect(deadline: .soon) }
        #expect(error.cause == .connectFailed(sqlState: nil))
        #expect(error.message.contains("asked for journal_mode wal, it is memory"))
    }

    @Test func missingFolderMissingFileAndForeignFileHaveTheirCodes() async throws {
        try await TemporaryDatabase.with { database async throws in
            var configuration = database.configuration()
            configuration.path = database.folder + "/nowhere/test.db"
            let folder = try await failure { () async throws(DriverError) in
                try await SQLiteDriver(configuration).connect(deadline: .soon)
            }
            #expect(folder.cause == .embedded(code: "SQLITE_CANTOPEN"))
            #expect(folder.message.contains(configuration.path))

            configuration = database.configuration()
            configuration.createsIfMissing = false
            let missing = try await failure { () async throws(DriverError) in
                try await SQLiteDriver(configuration).connect(deadline: .soon)
            }
            #expect(missing.cause == .embedded(code: "SQLITE_CANTOPEN"))

            let file = try #require(fopen(database.path, "w"))
            for _ in 0..<1000 { fputs("not a database ", file) }
            fclose(file)
            let foreign = try await failure { () async throws(DriverError) in
                try await SQLiteDriver(configuration).connect(deadline: .soon)
            }
            #expect(foreign.cause == .embedded(code: "SQLITE_NOTADB"))
            #expect(database.openDescriptors == [])
        }
    }

    @Test func sixteenConnectionsOpenANewFileAtOnce() async throws {
        try await TemporaryDatabase.with { database async throws in
            let driver = SQLiteDriver(database.configuration())
            let connections = try await withThrowingTaskGroup(of: SQLiteConnection.self) { group in
                for _ in 0..<16 { group.addTask { try await driver.connect(deadline: .soon) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(connections.count == 16)
            for connection in connections { await connection.close(deadline: .soon) }
            #expect(database.openDescriptors == [])
        }
    }

    @Test func connectPastItsDeadlineOrCancelledLeavesNothing() async throws {
        try await TemporaryDatabase.with { database async throws in
            let driver = SQLiteDriver(database.configuration())
            let late = try await failure { () async throws(DriverError) in try await driver.connect(deadline: .now) }
            #expect(late.cause == .timedOut)
            let cancelled = await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                do throws(DriverError) {
                    _ = try await driver.connect(deadline: .soon)
                    return FailureCause?.none
                } catch { return error.cause }
            }.value
            #expect(cancelled == .cancelled)
            #expect(access(database.path, F_OK) != 0)
        }
    }

    @Test func nothingIsOpenAfterClose() async throws {
        try await TemporaryDatabase.with { database async throws in
            try await database.createTable()
            try await database.withConnection { connection async throws in
                _ = try await connection.run("INSERT INTO t VALUES (1, 1)")
                #expect(!database.openDescriptors.isEmpty)
                #expect(access(database.path + "-wal", F_OK) == 0)
            }
            #expect(database.openDescriptors == [])
            #expect(access(database.path + "-wal", F_OK) != 0)  // the last close checkpoints and removes it
        }
    }

    @Test func closedConnectionRefusesAndSecondCloseIsHarmless() async throws {
        try await TemporaryDatabase.with { database async throws in
            let connection = try await SQLiteDriver(database.configuration()).connect(deadline: .soon)
            await connection.close(deadline: .soon)
            await connection.close(deadline: .soon)
            #expect(!connection.looksAlive())
            #expect(connection.transactionStatus == .unusable)
            let error = try await failure { () async throws(DriverError) in try await connection.run("SELECT 1") }
            #expect(error.cause == .embedded(code: "SQLITE_MISUSE"))
            #expect(!error.requestSent)
        }
    }

    /// In a process of its own, because threads and descriptors are counted for the whole process.
    @Test func closedAndForgottenConnectionsLeaveNoThread() async {
        await #expect(processExitsWith: .success) {
            try await TemporaryDatabase.with { database async throws in
                let driver = SQLiteDriver(database.configuration())
                for _ in 0..<3 {
                    let connection = try await driver.connect(deadline: .soon)
                    _ = try await connection.run("SELECT 1")
                    await connection.close(deadline: .soon)
                }
                _ = try await driver.connect(deadline: .soon)  // dropped without close

                let limit = MonotonicInstant.soon  // the dropped one ends by itself, a moment later
                while Threads.names.contains("sqlite") || !database.openDescriptors.isEmpty {
                    precondition(MonotonicInstant.now < limit, "left: \(Threads.names), \(database.openDescriptors)")
                    await Task.yield()
                }
            }
        }
    }
}

enum Threads {
    /// The names of this process's threads.
    static var names: [String] {
        guard let folder = opendir("/proc/self/task") else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let id = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard id.first != ".", let file = fopen("/proc/self/task/\(id)/comm", "r") else { continue }
            defer { fclose(file) }
            var line = [CChar](repeating: 0, count: 64)
            guard fgets(&line, Int32(line.count), file) != nil else { continue }
            names.append(String(decoding: line.prefix { $0 != 10 && $0 != 0 }.map(UInt8.init), as: UTF8.self))
        }
        return names
    }
}
