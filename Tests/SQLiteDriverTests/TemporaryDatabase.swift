import ConnectionPool
import Glibc
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

/// A database file in a folder of its own, lent to a test and removed afterwards.
struct TemporaryDatabase {
    let folder: String
    var path: String { folder + "/test.db" }

    static func with<R>(_ body: (TemporaryDatabase) async throws -> R) async throws -> R {
        let folder = try TemporaryFolder()
        defer { withExtendedLifetime(folder) {} }
        return try await body(TemporaryDatabase(folder: folder.path))
    }

    func configuration(
        journalMode: SQLiteConfiguration.JournalMode? = .wal, busyTimeout: Duration = .seconds(600)
    ) -> SQLiteConfiguration {
        SQLiteConfiguration(path: path, journalMode: journalMode, busyTimeout: busyTimeout)
    }

    /// What is open on the file, its -wal and its -shm in this process.
    var openDescriptors: [String] { Descriptors.links.filter { $0.hasPrefix(folder) } }

    /// Lends an open connection and closes it on every way out.
    func withConnection<R>(
        _ configuration: SQLiteConfiguration? = nil, _ body: (SQLiteConnection) async throws -> R
    ) async throws -> R {
        let driver = SQLiteDriver(configuration ?? self.configuration())
        let connection = try await driver.connect(deadline: .soon)
        do {
            let result = try await body(connection)
            await connection.close(deadline: .soon)
            #expect(driver.leakedStatements == [])
            return result
        } catch {
            await connection.close(deadline: .soon)
            throw error
        }
    }

    /// Makes `t (id integer primary key, v)`.
    func createTable(journalMode: SQLiteConfiguration.JournalMode? = .wal) async throws {
        try await withConnection(configuration(journalMode: journalMode)) { connection async throws in
            _ = try await connection.run("CREATE TABLE t (id INTEGER PRIMARY KEY, v)")
        }
    }
}

enum Descriptors {
    /// Where each descriptor of this process leads.
    static var links: [String] {
        guard let folder = opendir("/proc/self/fd") else { return [] }
        defer { closedir(folder) }
        var links: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            var target = [UInt8](repeating: 0, count: 4096)
            let length = readlink("/proc/self/fd/\(name)", &target, target.count)
            if length > 0 { links.append(String(decoding: target[..<length], as: UTF8.self)) }
        }
        return links
    }
}

extension MonotonicInstant {
    /// Far enough away that only a hang reaches it.
    static var soon: MonotonicInstant { .now.advanced(by: .seconds(600)) }
}

extension SQLiteConnection {
    func run(
        _ text: String, _ parameters: [SQLValue] = [], role: SQLStatement.Role = .write,
        deadline: MonotonicInstant = .soon
    ) async throws(DriverError) -> SQLResult {
        try await execute(SQLStatement(text, parameters, role: role), deadline: deadline)
    }

    func single(_ text: String, _ parameters: [SQLValue] = []) async throws -> SQLValue {
        try #require(try await run(text, parameters, role: .read).rows.first?.first)
    }

    /// Runs `text` in a task of its own, and returns when the thread of the connection works on it.
    func start(_ text: String) async throws -> Task<Result<SQLResult, DriverError>, Never> {
        let task = Task {
            do throws(DriverError) { return Result<SQLResult, DriverError>.success(try await self.run(text)) } catch {
                return .failure(error)
            }
        }
        let limit = MonotonicInstant.soon
        while transactionStatus != .unusable {
            try #require(MonotonicInstant.now < limit, "the statement never began")
            await Task.yield()
        }
        return task
    }
}

/// Runs `body`, which must fail, and gives its error.
func failure<R>(
    of body: () async throws(DriverError) -> R, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> DriverError {
    do throws(DriverError) { _ = try await body() } catch { return error }
    Issue.record("it succeeded", sourceLocation: sourceLocation)
    throw CancellationError()
}

/// Counts for ever; only an interrupt ends it.
let endless = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"
/// Writes for ever, and would fill the disk but for an interrupt. Nothing reaches the file before the end.
let endlessWrite =
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) INSERT OR REPLACE INTO t SELECT n % 100, n FROM c"

/// A value that several tasks of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let lock: Lock<Value>
    init(_ value: Value) { lock = Lock(value) }
    var value: Value {
        get { lock.withLock { $0 } }
        set { lock.withLock { $0 = newValue } }
    }
}
