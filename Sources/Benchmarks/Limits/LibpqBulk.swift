import CLibPQ
import Threading

/// Rows into a table, as the program in C does it.
struct LibpqBulk {
    static let table = "bench_bulk_limit"
    let connection: PlainLibpq
    let operation: String
    let rows: Int

    /// - Returns: how long the rows took, in seconds.
    func run() throws -> Double {
        // Without libpq's notice on standard error that there was no such table.
        try connection.run("SET client_min_messages=warning")
        try connection.run("DROP TABLE IF EXISTS \(Self.table)")
        try connection.run("CREATE UNLOGGED TABLE \(Self.table)(id int,a int,t text)")
        let start = MonotonicInstant.now
        switch operation {
        case "multi": try multi()
        default: try copy()
        }
        let seconds = start.duration(to: .now).seconds
        let count = try connection.value("SELECT count(*) FROM \(Self.table)")
        guard count == "\(rows)" else {
            throw WrongAnswer(description: "the table has \(count) rows, expected \(rows)")
        }
        try connection.run("DROP TABLE \(Self.table)")
        return seconds
    }

    private func multi() throws {
        var row = 0
        while row < rows {
            let end = min(row + BulkText.rowsPerStatement, rows)
            try connection.run(BulkText.insert(row..<end, into: Self.table))
            row = end
        }
    }

    /// - Throws: also when the server refuses the COPY, or a row of it, which only its last result tells.
    func copy() throws {
        let begun = PQexec(connection.connection, "COPY \(Self.table) FROM STDIN")
        let status = PQresultStatus(begun)
        PQclear(begun)
        guard status == PGRES_COPY_IN else { throw LibpqError("COPY", connection.connection) }
        var text = BulkText()
        for row in 0..<rows {
            text.append(row)
            if text.isFull { try put(&text) }
        }
        try put(&text)
        guard PQputCopyEnd(connection.connection, nil) == 1 else {
            throw LibpqError("PQputCopyEnd", connection.connection)
        }
        let ended = PQgetResult(connection.connection)
        let outcome = PQresultStatus(ended)
        PQclear(ended)
        guard outcome == PGRES_COMMAND_OK else { throw LibpqError("COPY", connection.connection) }
        // The end of its results.
        PQclear(PQgetResult(connection.connection))
    }

    private func put(_ text: inout BulkText) throws {
        let status = text.bytes.withUnsafeBytes { bytes in
            PQputCopyData(
                connection.connection, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
        }
        guard status == 1 else { throw LibpqError("PQputCopyData", connection.connection) }
        text.removeAll()
    }
}
