import CLibPQ
import ConnectionPool
import RigModel

/// Values in PostgreSQL's text format.
enum TextValues {
    /// - Parameter typeOID: from `pg_type`. Booleans, integers and floating point become their own case; everything else
    ///   (also `numeric`, which a `sum` of bigints is) stays text, so that no digit is lost.
    static func decode(_ bytes: UnsafeRawBufferPointer, typeOID: UInt32) -> SQLValue {
        switch typeOID {
        case 16: return .bool(bytes.first == UInt8(ascii: "t"))
        case 20, 21, 23, 26: if let value = integer(bytes) { return .int(value) }
        case 700, 701: if let value = Double(String(decoding: bytes, as: UTF8.self)) { return .double(value) }
        default: break
        }
        return .text(String(decoding: bytes, as: UTF8.self))
    }

    /// - Returns: `nil` for what is no number, or does not fit.
    private static func integer(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        var value: Int64 = 0
        if bytes.count == (isNegative ? 1 : 0) { return nil }
        for byte in bytes[(isNegative ? 1 : 0)...] {
            let digit = Int64(byte) - 48
            guard digit >= 0, digit <= 9 else { return nil }
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            // Towards the negative side, which has one number more.
            let (sum, overflow2) = tenfold.subtractingReportingOverflow(digit)
            if overflow || overflow2 { return nil }
            value = sum
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }

    /// What the server would certainly refuse, or what cannot be sent at all, the values of parameters apart; `nil` when the
    /// statement can be tried.
    static func refusal(of statement: SQLStatement) -> DriverError? {
        if statement.text.utf8.contains(0) { return .nulByte }
        guard statement.parameters.count > 65535 else { return nil }
        return DriverError(
            .server(sqlState: "54023"),
            "\(statement.parameters.count) parameters, but a statement takes at most 65535; nothing was sent",
            requestSent: false)
    }
}

extension DriverError {
    /// A C string ends at the first NUL: the rest would be lost in silence.
    static let nulByte = DriverError(
        .server(sqlState: "22021"), "a text contains a NUL byte, which PostgreSQL cannot store; nothing was sent",
        requestSent: false)
}

extension ReplyLedger.Part {
    /// Copies a result of libpq.
    ///
    /// - Complexity: O(rows × columns).
    init(_ result: OpaquePointer) {
        switch PQresultStatus(result) {
        case PGRES_EMPTY_QUERY: self = .done(SQLResult(), tag: "")
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
            self = .done(ResultReader.read(result), tag: String(cString: PQcmdStatus(result)))
        case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR: self = .failed(ServerMessage(result))
        case let other:
            self = .unexpected(
                "the server answered with \(String(cString: PQresStatus(other))), which is not supported here")
        }
    }
}
