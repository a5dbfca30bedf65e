import HostSystem
import RigModel

/// The physical limit beside each call of ``BenchPeer``: the same work with blocking calls of the C libraries on a thread
/// per connection, without pool, deadlines and cancellation.
package struct BenchLimit: Sendable {
    let call: PeerCall
    let tuning: PeerCall.Tuning
    let dsn: String

    package init(_ call: PeerCall, tuning: PeerCall.Tuning, dsn: String) {
        self.call = call
        self.tuning = tuning
        self.dsn = dsn
    }

    /// - Throws: ``BenchError/usage(_:)`` where there is no limit; another ``BenchError`` when nothing could be measured.
    package func run() async throws(BenchError) -> BenchRow {
        let result = await onOwnThread("limit") { () -> Result<BenchRow, BenchError> in
            do { return .success(try runBlocking()) } catch {
                return .failure(error as? BenchError ?? .failed("\(call): \(error)"))
            }
        }
        return try result.get()
    }

    /// A thread has a connection of its own here, so more workers than connections would be another measurement.
    private var threads: Int { call.pool > 0 ? min(call.workers, call.pool) : call.workers }

    private func runBlocking() throws -> BenchRow {
        switch call.scenario {
        case .acquire:
            let stack = MutexStack(count: call.pool)
            return row(
                "LIMIT mutex stack",
                try ThreadMeasurement(workers: call.workers).run(seconds: call.amount) { _ in
                    MutexStackTurn(stack: stack)
                })
        case .query:
            return row(
                "LIMIT libpq",
                try ThreadMeasurement(workers: threads).run(seconds: call.amount) { [dsn, call] _ in
                    LibpqQuery(connection: try PlainLibpq(dsn: dsn), operation: call.operation)
                })
        case .pipeline:
            var result = row(
                "LIMIT libpq",
                try ThreadMeasurement(workers: threads).run(seconds: call.amount) { [dsn, call, tuning] _ in
                    try LibpqPipeline(
                        connection: PlainLibpq(dsn: dsn), operation: call.operation, depth: tuning.variation.depth)
                })
            result.operation = "\(call.operation) depth \(tuning.variation.depth)"
            return result
        case .connect:
            return row(
                "LIMIT libpq",
                try ThreadMeasurement(workers: call.workers).run(seconds: call.amount) { [dsn] _ in
                    LibpqConnect(dsn: dsn)
                })
        case .bulk: return try bulk()
        case .idle: return try idle()
        case .sqlite: return try sqlite()
        case .acquireAndHold, .orderEntry:
            throw BenchError.usage(
                "there is no limit to measure scenario \(call.scenario.rawValue) against; measure it with bench peer, or take "
                    + "the limit of A, B, Bpipe, C, D, F or S")
        }
    }

    private func row(_ peer: String, _ measured: Measured) -> BenchRow {
        var row = BenchRow(peer: peer, call)
        measured.fill(&row)
        return row
    }

    private func bulk() throws -> BenchRow {
        guard ["multi", "copy"].contains(call.operation) else {
            throw BenchError.usage(
                "the limit of scenario D is measured for multi and copy only, not \(call.operation); take one of these, or "
                    + "measure it with bench peer")
        }
        let rows = Int(call.amount)
        let connection = try PlainLibpq(dsn: dsn, prepare: false)
        let idleMB = ProcessFigures.residentMB
        let seconds = try LibpqBulk(connection: connection, operation: call.operation, rows: rows).run()
        var row = BenchRow(peer: "LIMIT libpq", call)
        row.perSecond = Double(rows) / seconds
        row.rssMB = ProcessFigures.peakResidentMB
        row.errors = 0
        row.extra = [.init("rows", JSONValue(rows)), .init("idle_rss_mb", .double(idleMB))]
        return row
    }

    private func idle() throws -> BenchRow {
        let connections = try (0..<call.pool).map { _ in try PlainLibpq(dsn: dsn, prepare: false) }
        let figures = ProcessFigures.whileIdle(seconds: call.amount)
        var row = BenchRow(peer: "LIMIT libpq", call)
        (row.rssMB, row.idleCPUPercent, row.errors) = (figures.residentMB, figures.cpuPercent, 0)
        withExtendedLifetime(connections) {}
        return row
    }

    private func sqlite() throws -> BenchRow {
        let folder = try BenchFolder()
        let result = Result {
            let file = folder.file("b.db")
            let first = try PlainSQLite(path: file, busyMilliseconds: tuning.busyMilliseconds)
            for sql in BenchSQL.sqliteSchema { try first.run(sql) }
            return try ThreadMeasurement(workers: threads).run(seconds: call.amount) { [call, tuning] _ in
                let database = try PlainSQLite(path: file, busyMilliseconds: tuning.busyMilliseconds)
                try database.prepare()
                return PlainSQLiteQuery(database: database, operation: call.operation)
            }
        }
        try folder.remove()
        var row = row("LIMIT sqlite3", try result.get())
        row.rssMB = ProcessFigures.peakResidentMB
        return row
    }
}
