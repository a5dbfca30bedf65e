import CLibPQ
import Glibc

/// What libpq said about a call that failed.
struct LibpqError: Error, CustomStringConvertible {
    let description: String

    init(_ call: String, _ connection: OpaquePointer?) {
        let words = connection.flatMap { PQerrorMessage($0) }.map { String(cString: $0) } ?? ""
        description = "\(call): \(words.isEmpty ? "no message" : words)"
    }
}

/// One connection of libpq with blocking calls: what a program in C gets, without pool, deadlines and cancellation.
final class PlainLibpq {
    let connection: OpaquePointer
    /// The decimal digits of a key, and what libpq's parameters point to.
    private let text = UnsafeMutablePointer<CChar>.allocate(capacity: 24)
    private let values = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: 1)

    init(dsn: String, prepare: Bool = true) throws {
        guard let connection = PQconnectdb(dsn) else { throw LibpqError("PQconnectdb", nil) }
        self.connection = connection
        values[0] = UnsafePointer(text)
        guard PQstatus(connection) == CONNECTION_OK else { throw LibpqError("PQconnectdb", connection) }
        guard prepare else { return }
        for (name, sql) in [("pk", BenchSQL.lookUp), ("upd", BenchSQL.update)] {
            try take(PQprepare(connection, name, sql, 1, nil), "PQprepare")
        }
    }

    deinit {
        PQfinish(connection)
        text.deallocate()
        values.deallocate()
    }

    /// Runs a prepared statement with one key.
    func run(_ name: UnsafePointer<CChar>, key: Int64) throws {
        write(key)
        try take(PQexecPrepared(connection, name, 1, values, nil, nil, 0), "PQexecPrepared")
    }

    func runUnprepared(_ sql: String, key: Int64) throws {
        write(key)
        try take(PQexecParams(connection, sql, 1, nil, values, nil, nil, 0), "PQexecParams")
    }

    func run(_ sql: UnsafePointer<CChar>) throws { try take(PQexec(connection, sql), "PQexec") }

    /// The first value of the first row.
    func value(_ sql: String) throws -> String {
        let result = PQexec(connection, sql)
        defer { PQclear(result) }
        guard PQresultStatus(result) == PGRES_TUPLES_OK, let value = PQgetvalue(result, 0, 0) else {
            throw LibpqError(sql, connection)
        }
        return String(cString: value)
    }

    func send(_ name: UnsafePointer<CChar>, key: Int64) throws {
        write(key)
        guard PQsendQueryPrepared(connection, name, 1, values, nil, nil, 0) == 1 else {
            throw LibpqError("PQsendQueryPrepared", connection)
        }
    }

    func take(_ result: OpaquePointer?, _ call: String) throws {
        let status = PQresultStatus(result)
        PQclear(result)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else { throw LibpqError(call, connection) }
    }

    private func write(_ number: Int64) {
        // Digits from behind, then to the front: snprintf(3) cannot be called from Swift.
        var rest = number
        var end = 23
        text[end] = 0
        repeat {
            end -= 1
            text[end] = CChar(48 + rest % 10)
            rest /= 10
        } while rest > 0
        memmove(text, text + end, 24 - end)
    }
}
