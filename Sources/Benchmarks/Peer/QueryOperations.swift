import ConnectionPool
import Threading

/// One statement on a borrowed connection.
struct QueryThroughPool<D: Driver>: BenchOperation {
    let pool: Pool<D>
    let operation: String

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let statement = BenchSQL.statement(operation, &keys)
        let lease = try await pool.acquire(site: .here())
        let result: SQLResult
        do { result = try await lease.execute(statement) } catch {
            lease.release()
            throw error
        }
        lease.release()
        try result.check(statement)
        return 0
    }
}

/// A connection for each statement.
struct ConnectPerQuery<D: Driver>: BenchOperation {
    let driver: D
    let operation: String

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let statement = BenchSQL.statement(operation, &keys)
        let deadline = MonotonicInstant.now.advanced(by: .seconds(30))
        let connection = try await driver.connect(deadline: deadline)
        let result: SQLResult
        do { result = try await connection.execute(statement, deadline: deadline) } catch {
            await connection.close(deadline: deadline)
            throw error
        }
        await connection.close(deadline: deadline)
        try result.check(statement)
        return 0
    }
}
