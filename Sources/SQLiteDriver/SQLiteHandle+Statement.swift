import CSQLite
package import ConnectionPool
import RigModel
import Threading

extension SQLiteHandle {
    /// Statements that took less than this are expected to do so again.
    static let quickNanoseconds: UInt64 = 1_000_000

    /// Runs one statement to its end. Whatever happens, it is reset, and stays prepared for the next use.
    ///
    /// - Throws: `.busy`, `.timedOut`, `.cancelled`, `.embedded`. `requestSent` is `false` when the statement was refused
    ///   before its first step: it did not parse, or its parameters do not fit.
    package func run(_ statement: SQLStatement) throws(DriverError) -> SQLResult {
        guard let database else {
            throw DriverError(.embedded(code: "SQLITE_MISUSE"), "the database is not open", requestSent: false)
        }
        beginTry()
        // SQLite rolls back by itself after some errors and says "no transaction is active" to the ROLLBACK that
        // follows. As in other databases, that is not an error.
        if statement.role == .rollback, isOutsideTransaction { return SQLResult() }
        guard let cached = try prepared(statement.text) else { return SQLResult() }
        defer { if cached.isKept { cached.reset() } else { cached.finalize() } }
        try bind(statement.parameters, to: cached)

        let changesBefore = cached.isReadOnly ? 0 : sqlite3_total_changes64(database)
        var result = SQLResult()
        while true {
            let status = sqlite3_step(cached.prepared)
            if status == SQLITE_DONE { break }
            guard status == SQLITE_ROW else { throw failure(status) }
            result.rows.append(Self.row(of: cached.prepared))
        }
        // sqlite3_changes keeps the number of the last writing statement, also while others run.
        if !cached.isReadOnly, sqlite3_total_changes64(database) != changesBefore {
            result.affectedRows = Int(sqlite3_changes64(database))
        }
        if let limits {
            cached.isQuick = MonotonicInstant.now.nanoseconds &- limits.begin.nanoseconds < Self.quickNanoseconds
        }
        return result
    }

    /// Whether the statement is known to end before anybody could want to cancel it.
    func isQuick(_ text: String) -> Bool { statements.find(text)?.isQuick ?? false }

    /// - Returns: `nil` for an empty text.
    private func prepared(_ text: String) throws(DriverError) -> CachedStatement? {
        if let cached = statements.find(text) {
            counter.countHit()
            return cached
        }
        guard let prepared = try prepare(text) else { return nil }
        let cached = CachedStatement(text: text, prepared: prepared)
        guard cached.isKept else { return cached }
        counter.countMiss()
        statements.insert(cached)?.finalize()
        return cached
    }

    /// - Returns: `nil` for an empty text.
    private func prepare(_ text: String) throws(DriverError) -> OpaquePointer? {
        var prepared: OpaquePointer?
        var second: OpaquePointer?
        // The second call sees what follows the first statement: spaces and comments give no statement.
        let status = text.withCString { start in
            var rest: UnsafePointer<CChar>?
            let first = sqlite3_prepare_v3(database, start, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, &rest)
            guard first == SQLITE_OK, let rest, rest.pointee != 0 else { return first }
            return sqlite3_prepare_v2(database, rest, -1, &second, nil)
        }
        if status == SQLITE_OK, second == nil { return prepared }
        var error = failure(status)
        sqlite3_finalize(prepared)
        if second != nil {
            sqlite3_finalize(second)
            error = DriverError(
                .embedded(code: "SQLITE_MISUSE"), "one statement per call, but there is more after the first: \(text)")
        }
        error.requestSent = false
        throw error
    }

    /// Binds by name, so that `$1` may occur more than once.
    private func bind(_ parameters: [SQLValue], to cached: CachedStatement) throws(DriverError) {
        let indexes = cached.parameterIndexes
        guard indexes.count == parameters.count else {
            throw DriverError(
                .embedded(code: "SQLITE_RANGE"),
                "the statement has \(indexes.count) different parameters, \(parameters.count) values were given",
                requestSent: false)
        }
        for offset in indexes.indices {
            guard indexes[offset] > 0 else {
                throw DriverError(
                    .embedded(code: "SQLITE_RANGE"),
                    "the statement has no parameter $\(offset + 1); parameters are named $1, $2, … without gaps",
                    requestSent: false)
            }
            let status = Self.bind(parameters[offset], at: indexes[offset], of: cached.prepared)
            guard status == SQLITE_OK else {
                var error = failure(status)
                error.requestSent = false
                throw error
            }
        }
    }

    private static func bind(_ value: SQLValue, at index: Int32, of prepared: OpaquePointer) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(prepared, index)
        case .bool(let flag): return sqlite3_bind_int64(prepared, index, flag ? 1 : 0)
        case .int(let number): return sqlite3_bind_int64(prepared, index, number)
        case .double(let number): return sqlite3_bind_double(prepared, index, number)
        case .text(let text):
            // SQLITE_TRANSIENT, a macro that Swift cannot import: SQLite makes a copy.
            let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            return text.withCString {
                sqlite3_bind_text64(prepared, index, $0, UInt64(text.utf8.count), transient, UInt8(SQLITE_UTF8))
            }
        }
    }

    private static func row(of prepared: OpaquePointer) -> [SQLValue] {
        // Asked for each row: a statement that SQLite prepared again may have other columns than before.
        let count = Int(sqlite3_column_count(prepared))
        return [SQLValue](unsafeUninitializedCapacity: count) { values, initialized in
            for column in 0..<count {
                values.initializeElement(at: column, to: value(ofColumn: Int32(column), of: prepared))
            }
            initialized = count
        }
    }

    /// A blob becomes text of the form `\x6869`, as PostgreSQL writes it.
    private static func value(ofColumn column: Int32, of prepared: OpaquePointer) -> SQLValue {
        switch sqlite3_column_type(prepared, column) {
        case SQLITE_INTEGER: return .int(sqlite3_column_int64(prepared, column))
        case SQLITE_FLOAT: return .double(sqlite3_column_double(prepared, column))
        case SQLITE_TEXT:
            let text = sqlite3_column_text(prepared, column)
            let bytes = UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(prepared, column)))
            return .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let blob = sqlite3_column_blob(prepared, column)
            let bytes = UnsafeRawBufferPointer(start: blob, count: Int(sqlite3_column_bytes(prepared, column)))
            let digits = Array("0123456789abcdef".utf8)
            let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
            return .text("\\x" + String(decoding: hex, as: UTF8.self))
        default: return .null
        }
    }
}
