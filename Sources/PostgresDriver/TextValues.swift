import CLibPQ
import ConnectionPool
import RigModel

/// Values in PostgreSQL's text format.
enum TextValues {
    /// - Returns: `nil` for NULL. The server infers the parameter's type from the statement.
    static func encode(_ value: SQLValue) -> String? {
        switch value {
        case .null: nil
        case .bool(let value): value ? "t" : "f"
        case .int(let value): String(value)
        case .double(let value): String(value)  // also "inf", "-inf" and "nan", which the server reads
        case .text(let value): value
        }
    }

    /// - Parameter typeOID: from `pg_type`. Booleans, integers and floating point become their own case; everything else
    ///   (also `numeric`, which a `sum` of bigints is) stays text, so that no digit is lost.
    static func decode(_ text: String, typeOID: UInt32) -> SQLValue {
        switch typeOID {
        case 16: .bool(text == "t")
        case 20, 21, 23, 26: Int64(text).map(SQLValue.int) ?? .text(text)
        case 700, 701: Double(text).map(SQLValue.double) ?? .text(text)
        default: .text(text)
        }
    }

    /// What the server would certainly refuse, or what cannot be sent at all; `nil` when the statement can be tried.
    static func refusal(of statement: SQLStatement) -> DriverError? {
        // A C string ends at the first NUL: the rest would be lost in silence.
        let texts = [statement.text] + statement.parameters.compactMap(\.textValue)
        if texts.contains(where: { $0.utf8.contains(0) }) {
            return DriverError(
                .server(sqlState: "22021"),
                "a text contains a NUL byte, which PostgreSQL cannot store; nothing was sent",
                requestSent: false)
        }
        guard statement.parameters.count > 65535 else { return nil }
        return DriverError(
            .server(sqlState: "54023"),
            "\(statement.parameters.count) parameters, but a statement takes at most 65535; nothing was sent",
            requestSent: false)
    }
}

extension ReplyLedger.Part {
    /// Copies a result of libpq.
    ///
    /// - Complexity: O(rows × columns).
    init(_ result: OpaquePointer) {
        switch PQresultStatus(result) {
        case PGRES_EMPTY_QUERY: self = .done(SQLResult(), tag: "")
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
            let tag = String(cString: PQcmdStatus(result))
            self = .done(
                SQLResult(rows: Self.rows(of: result), affectedRows: Self.affectedRows(of: result, tag)), tag: tag)
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: self = .failed(ServerMessage(result))
        case let other:
            self = .unexpected(
                "the server answered with \(String(cString: PQresStatus(other))), which is not supported here")
        }
    }

    private static func rows(of result: OpaquePointer) -> [[SQLValue]] {
        let types = (0..<PQnfields(result)).map { PQftype(result, $0) }
        return (0..<PQntuples(result)).map { row in
            types.indices.map { index in
                let column = Int32(index)
                guard PQgetisnull(result, row, column) == 0, let bytes = PQgetvalue(result, row, column) else {
                    return .null
                }
                let buffer = UnsafeRawBufferPointer(start: bytes, count: Int(PQgetlength(result, row, column)))
                return TextValues.decode(String(decoding: buffer, as: UTF8.self), typeOID: types[index])
            }
        }
    }

    /// For SELECT and its like the tag counts rows that were read.
    private static func affectedRows(of result: OpaquePointer, _ tag: String) -> Int {
        if ["SELECT", "FETCH", "MOVE"].contains(where: { tag.hasPrefix($0) }) { return 0 }
        return Int(String(cString: PQcmdTuples(result))) ?? 0
    }
}
