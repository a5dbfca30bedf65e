import CSQLite
import Glibc

/// An open SQLite file and its statements, for one thread at a time. Closes with the object.
final class SQLiteFile {
    enum Value: Equatable {
        case null
        case int(Int64)
        case real(Double)
        case text(String)

        init(_ value: Int?) { self = value.map { .int(Int64($0)) } ?? .null }
        init(_ value: Double?) { self = value.map { .real($0) } ?? .null }
        init(_ value: String?) { self = value.map { .text($0) } ?? .null }
        init(_ value: Bool?) { self = value.map { .int($0 ? 1 : 0) } ?? .null }

        var int: Int64? { if case .int(let value) = self { value } else { nil } }
        var text: String? { if case .text(let value) = self { value } else { nil } }
        var real: Double? {
            switch self {
            case .real(let value): value
            case .int(let value): Double(value)
            case .null, .text: nil
            }
        }
    }

    let path: String
    /// How long a call waits for the lock of another process.
    let patienceSeconds: Int
    private let database: OpaquePointer

    /// - Throws: ``ResultsError/failed(path:reason:)``, ``ResultsError/noDatabase(path:)``.
    init(path: String, mayCreate: Bool, patienceSeconds: Int) throws(ResultsError) {
        if !mayCreate, access(path, F_OK) != 0 { throw .noDatabase(path: path) }
        self.path = path
        self.patienceSeconds = patienceSeconds
        // Writable also for readers: one of a file in WAL mode must be able to make the index of the log.
        let flags = SQLITE_OPEN_READWRITE | (mayCreate ? SQLITE_OPEN_CREATE : 0)
        var opened = try Self.open(path, flags, of: path)
        if !mayCreate, Self.needsToWrite(opened) {
            sqlite3_close_v2(opened)
            opened = try Self.openUnchanging(path)
        }
        database = opened
        sqlite3_busy_timeout(opened, Int32(patienceSeconds) * 1000)
    }

    private static func open(_ name: String, _ flags: Int32, of path: String) throws(ResultsError) -> OpaquePointer {
        var opened: OpaquePointer?
        let status = sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX, nil)
        guard let opened else { throw .failed(path: path, reason: "no memory") }
        guard status == SQLITE_OK else {
            let reason = String(cString: sqlite3_errmsg(opened))
            sqlite3_close_v2(opened)
            throw .failed(path: path, reason: reason)
        }
        return opened
    }

    /// Reading takes an index of the log beside the file, and the folder cannot be written: kept artifacts, read-only mounts.
    private static func needsToWrite(_ database: OpaquePointer) -> Bool {
        let status = sqlite3_exec(database, "SELECT count(*) FROM sqlite_schema", nil, nil, nil)
        return [SQLITE_CANTOPEN, SQLITE_READONLY].contains(status & 0xFF)
    }

    /// As a file that nobody changes; <https://www.sqlite.org/uri.html>, `immutable`. What only the log holds would not be seen.
    private static func openUnchanging(_ path: String) throws(ResultsError) -> OpaquePointer {
        var log = stat()
        if stat("\(path)-wal", &log) == 0, log.st_size > 0 {
            throw .failed(
                path: path,
                reason:
                    "\(path)-wal holds runs that are not in it yet, and nobody can read them where the folder cannot be "
                    + "written (a copy of both files can be)")
        }
        let escaped = path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
        // An empty authority, so that the path may begin with two slashes.
        let uri = "file:\(path.hasPrefix("/") ? "//" : "")\(escaped)?immutable=1"
        return try open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, of: path)
    }

    deinit { sqlite3_close_v2(database) }

    /// Runs statements without values, separated by semicolons.
    func execute(_ sql: String) throws(ResultsError) {
        let status = sqlite3_exec(database, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw failure(status) }
    }

    /// Runs one statement and returns its rows.
    @discardableResult
    func run(_ sql: String, _ values: [Value] = []) throws(ResultsError) -> [[Value]] {
        var prepared: OpaquePointer?
        let status = sqlite3_prepare_v2(database, sql, -1, &prepared, nil)
        guard status == SQLITE_OK, let statement = prepared else { throw failure(status) }
        defer { sqlite3_finalize(statement) }
        for (position, value) in values.enumerated() { bind(value, at: Int32(position + 1), statement) }
        var rows: [[Value]] = []
        while true {
            let status = sqlite3_step(statement)
            if status == SQLITE_DONE { return rows }
            guard status == SQLITE_ROW else { throw failure(status) }
            rows.append((0..<sqlite3_column_count(statement)).map { Self.value(statement, $0) })
        }
    }

    /// Everything in `body` or nothing of it. Holds the write lock from the beginning.
    func transaction<R>(_ body: () throws(ResultsError) -> R) throws(ResultsError) -> R {
        try execute("BEGIN IMMEDIATE")
        do throws(ResultsError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // Nothing to roll back where SQLite has done it by itself.
            try? execute("ROLLBACK")
            throw error
        }
    }

    private func bind(_ value: Value, at position: Int32, _ statement: OpaquePointer) {
        // SQLite copies the text: the destructor SQLITE_TRANSIENT, which Swift cannot import.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        switch value {
        case .null: sqlite3_bind_null(statement, position)
        case .int(let number): sqlite3_bind_int64(statement, position, number)
        case .real(let number): sqlite3_bind_double(statement, position, number)
        case .text(let text): sqlite3_bind_text(statement, position, text, Int32(clamping: text.utf8.count), copied)
        }
    }

    private static func value(_ statement: OpaquePointer, _ column: Int32) -> Value {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_INTEGER: return .int(sqlite3_column_int64(statement, column))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(statement, column))
        case SQLITE_NULL: return .null
        default:
            guard let bytes = sqlite3_column_text(statement, column) else { return .null }
            let count = Int(sqlite3_column_bytes(statement, column))
            return .text(String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self))
        }
    }

    private func failure(_ status: Int32) -> ResultsError {
        let reason = String(cString: sqlite3_errmsg(database))
        switch status & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .damaged(path: path, reason: reason)
        // A table or column that the format has.
        case SQLITE_ERROR where reason.hasPrefix("no such"): return .damaged(path: path, reason: reason)
        case SQLITE_BUSY, SQLITE_LOCKED: return .busy(path: path, waitedSeconds: patienceSeconds)
        default: return .failed(path: path, reason: reason)
        }
    }
}
