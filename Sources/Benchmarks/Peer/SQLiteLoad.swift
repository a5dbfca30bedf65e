import ConnectionPool
import EventLoop
import SQLiteDriver
import Threading

extension BenchPeer {
    /// A fresh file in WAL mode with the benchmark's table.
    func runSQLite(on loops: EventLoopGroup) async throws(BenchError) -> BenchRow {
        let folder = try BenchFolder()
        let result: Result<BenchRow, BenchError>
        do throws(BenchError) {
            result = .success(try await runSQLite(file: folder.file("b.db"), on: loops))
        } catch {
            result = .failure(error)
        }
        try folder.remove()
        return try result.get()
    }

    private func runSQLite(file: String, on loops: EventLoopGroup) async throws(BenchError) -> BenchRow {
        let driver = SQLiteDriver(
            SQLiteConfiguration(path: file, busyTimeout: .milliseconds(tuning.busyMilliseconds)))
        do throws(DriverError) {
            try await driver.run(BenchSQL.sqliteSchema, until: .now.advanced(by: .seconds(60)))
        } catch {
            throw .failed("\(call): \(error)")
        }
        var row: BenchRow
        if call.pool < 0 {
            row = await measure(ConnectPerQuery(driver: driver, operation: call.operation), on: [driver.threads])
        } else {
            let size = call.pool == 0 ? call.workers : call.pool
            row = try await withPool(driver, LoopRuntime(loops: loops), size: size) {
                await measure(QueryThroughPool(pool: $0, operation: call.operation), on: [driver.threads])
            }
        }
        row.rssMB = ProcessFigures.peakResidentMB
        return row
    }
}
