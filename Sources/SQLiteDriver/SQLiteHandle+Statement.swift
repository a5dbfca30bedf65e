import CSQLite
package import ConnectionPool
import RigModel

extension SQLiteHandle {
    /// Runs one statement to its end. Whatever happens, the prepared statement is finalized.
    ///
    /// - Throws: `.busy`, `.timedOut`, `.cancelled`, `.embedded`. `requestSent` is `false` when the statement was refused
    ///   before its first step: it did not parse, or its parameters do not fit.
    package func run(_ statement: SQLStatement) throws(DriverError) -> SQLResult {
        guard let database else {
            throw DriverError(.embedded(code: "SQLITE_MISUSE"), "the database is not open", requestSent: false)
        }
        // SQLite rolls back by itself after some errors and says "no transaction is active" to the ROLLBACK that
        // follows. As in other databases, that is not an error.
        if statement.role == .rollback, transactionStatus == .idle { return SQLResult() }
        guard let prepared = try prepare(statement.text, in: database) else { return SQLResult() }
        defer { sqlite3_finalize(prepared) }
        try bind(statement.parameters, to: prepared)

        let changesBefore = sqlite3_total_changes64(database)
        var result = SQLResult()
        while true {
            let status = sqlite3_step(prepared)
            if status == SQLITE_DONE { break }
            guard status == SQLITE_ROW else { throw failure(status) }
            result.rows.append((0..<sqlite3_column_count(prepared)).map { value(ofColumn: $0, of: prepared) })
        }
        // sqlite3_changes keeps the number of the last writing statement, also while others run.
        if sqlite3_total_changes64(database) != changesBefore {
            result.affectedRows = Int(sqlite3_changes64(database))
        }
        return result
    }

    /// - Returns: `nil` for an empty text.
    private func prepare(_ text: String, in database: OpaquePointer) throws(DriverError) -> OpaquePointer? {
        var prepared: OpaquePointer?
        var second: OpaquePointer?
        // The second call sees what follows the first statement: spaces and comments give no statement.
        let status = text.withCString { start in
            var rest: UnsafePointer<CChar>?
            let first = sqlite3_prepare_v2(database, start, -1, &prepared, &rest)
            return first == SQLITE_OK ? sqlite3_prepare_v2(database, rest, -1, &second, nil) : first
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
    private func bind(_ parameters: [SQLValue], to prepared: OpaquePointer) throws(DriverError) {
        let expected = sqlite3_bind_parameter_count(prepared)
        guard expected == parameters.count else {
            throw DriverError(
                .embedded(code: "SQLITE_RANGE"),
                "the statement has \(expected) different parameters, \(parameters.count) values were given",
                requestSent: false)
        }
        for (offset, parameter) in parameters.enumerated() {
            let index = sqlite3_bind_parameter_index(prepared, "$\(offset + 1)")
            guard index > 0 else {
                throw DriverError(
                    .embedded(code: "SQLITE_RANGE"),
                    "the statement has no parameter $\(offset + 1); parameters are named $1, $2, … without gaps",
                    requestSent: false)
            }
            let status = Self.bind(parameter, at: index, of: prepared)
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

    /// A blob becomes text of the form `\x6869`, as PostgreSQL writes it.
    private func value(ofColumn column: Int32, of prepared: OpaquePointer) -> SQLValue {
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
