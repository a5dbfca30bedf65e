import CSQLite

/// What SQLite said about a call that failed.
struct PlainSQLiteError: Error, CustomStringConvertible {
    let description: String

    init(_ call: String, _ handle: OpaquePointer?) {
        description = "\(call): \(String(cString: sqlite3_errmsg(handle)))"
    }
}

/// A handle of the thread's own, with its statements prepared: SQLite without a driver. The limit for the SQLite rows.
final class PlainSQLite {
    private var handle: OpaquePointer?
    private var lookUp: OpaquePointer?
    private var update: OpaquePointer?

    init(path: String, busyMilliseconds: Int) throws {
        guard
            sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nil)
                == SQLITE_OK
        else { throw PlainSQLiteError("sqlite3_open_v2", handle) }
        sqlite3_busy_timeout(handle, Int32(busyMilliseconds))
        try run("PRAGMA journal_mode=WAL")
        try run("PRAGMA synchronous=NORMAL")
    }

    deinit {
        sqlite3_finalize(lookUp)
        sqlite3_finalize(update)
        sqlite3_close_v2(handle)
    }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw PlainSQLiteError(sql, handle) }
    }

    func prepare() throws {
        for (sql, target) in [(BenchSQL.lookUp, \PlainSQLite.lookUp), (BenchSQL.update, \PlainSQLite.update)] {
            var statement: OpaquePointer?
            guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else {
                throw PlainSQLiteError(sql, handle)
            }
            self[keyPath: target] = statement
        }
    }

    func read(key: Int64) throws {
        sqlite3_bind_int64(lookUp, 1, key)
        guard sqlite3_step(lookUp) == SQLITE_ROW, sqlite3_column_text(lookUp, 0) != nil else {
            throw PlainSQLiteError("sqlite3_step", handle)
        }
        sqlite3_reset(lookUp)
    }

    func write(key: Int64) throws {
        sqlite3_bind_int64(update, 1, key)
        guard sqlite3_step(update) == SQLITE_DONE else { throw PlainSQLiteError("sqlite3_step", handle) }
        sqlite3_reset(update)
    }
}

struct PlainSQLiteQuery: BlockingOperation {
    let database: PlainSQLite
    let operation: String

    mutating func run(_ keys: inout KeyStream) throws {
        let isWrite = operation == "write" || operation == "mix90" && keys.next() % 10 == 0
        if isWrite { try database.write(key: keys.key()) } else { try database.read(key: keys.key()) }
    }
}
