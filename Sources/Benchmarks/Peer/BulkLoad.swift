import ConnectionPool
import EventLoop
import PostgresDriver
import RigModel
import Threading

/// Rows into a table of their own, in the ways that a program has.
struct BulkLoad: Sendable {
    static let table = "bench_bulk_chaosrig"
    private static let insert = "INSERT INTO \(table) VALUES($1,$2,$3)"
    private static let rowsPerBatch = 500

    let call: PeerCall
    let driver: PostgresDriver
    let loops: EventLoopGroup

    private var rows: Int { Int(call.amount) }

    func run() async throws(BenchError) -> BenchRow {
        let task = Task(executorPreference: loops.next()) { try await load() }
        do { return try await task.value } catch { throw .failed("\(call): \(error)") }
    }

    private func load() async throws -> BenchRow {
        let deadline = MonotonicInstant.now.advanced(by: .seconds(600))
        let connection = try await driver.connect(deadline: deadline)
        let sink = Sink(connection: connection, deadline: deadline)
        do {
            try await sink.run("DROP TABLE IF EXISTS \(Self.table)")
            try await sink.run("CREATE UNLOGGED TABLE \(Self.table)(id int,a int,t text)")
            let idleMB = ProcessFigures.residentMB
            let start = MonotonicInstant.now
            switch call.operation {
            case "one": try await one(sink)
            case "multi": try await multi(sink)
            case "copy": try await copy(sink)
            case "copyrows": try await copyRows(sink)
            default: try await pipe(sink)
            }
            let seconds = start.duration(to: .now).seconds
            let count = try await sink.run("SELECT count(*) FROM \(Self.table)").rows.first?.first
            guard count == .int(Int64(rows)) else {
                throw WrongAnswer(description: "the table has \(count.map { "\($0)" } ?? "no") rows, expected \(rows)")
            }
            try await sink.run("DROP TABLE \(Self.table)")
            var row = BenchRow(peer: BenchPeer.name, call)
            row.perSecond = Double(rows) / seconds
            row.rssMB = ProcessFigures.peakResidentMB
            row.errors = 0
            row.extra = [.init("rows", JSONValue(rows)), .init("idle_rss_mb", .double(idleMB))]
            await connection.close(deadline: deadline)
            return row
        } catch {
            await connection.close(deadline: deadline)
            throw error
        }
    }

    private struct Sink {
        let connection: PostgresConnection
        let deadline: MonotonicInstant

        @discardableResult
        func run(_ text: String) async throws -> SQLResult {
            try await connection.execute(SQLStatement(text, role: .write), deadline: deadline)
        }
    }

    private func parameters(_ row: Int) -> [SQLValue] {
        [.int(Int64(row)), .int(Int64(row * 7 % 1000)), .text("row number \(row)")]
    }

    private func one(_ sink: Sink) async throws {
        for row in 0..<rows {
            _ = try await sink.connection.execute(
                SQLStatement(Self.insert, parameters(row), role: .write), deadline: sink.deadline)
        }
    }

    private func multi(_ sink: Sink) async throws {
        var row = 0
        while row < rows {
            let end = min(row + BulkText.rowsPerStatement, rows)
            try await sink.run(BulkText.insert(row..<end, into: Self.table))
            row = end
        }
    }

    private func pipe(_ sink: Sink) async throws {
        try await sink.run("BEGIN")
        var row = 0
        while row < rows {
            let end = min(row + Self.rowsPerBatch, rows)
            let batch = (row..<end).map { SQLStatement(Self.insert, parameters($0), role: .write) }
            let results = await sink.connection.execute(
                batch: batch, atomicity: .allOrNothing, deadline: sink.deadline)
            for result in results { _ = try result.get() }
            row = end
        }
        try await sink.run("COMMIT")
    }

    /// Text that the program has made itself, as the program in C does it.
    private func copy(_ sink: Sink) async throws {
        _ = try await sink.connection.copyIn("COPY \(Self.table) FROM STDIN", deadline: sink.deadline) { writer in
            var text = BulkText()
            for row in 0..<rows {
                text.append(row)
                if text.isFull {
                    try await writer.write(text.bytes)
                    text.removeAll()
                }
            }
            try await writer.write(text.bytes)
        }
    }

    /// Values that the driver turns into text.
    private func copyRows(_ sink: Sink) async throws {
        _ = try await sink.connection.copyIn("COPY \(Self.table) FROM STDIN", deadline: sink.deadline) { writer in
            for row in 0..<rows { try await writer.write(row: parameters(row)) }
        }
    }
}
