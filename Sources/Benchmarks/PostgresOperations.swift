import ConnectionPool
import EventLoop
import PostgresDriver
import Threading

/// The statements of the benchmark, on the table `bench_kv(id, n, v)`.
enum BenchSQL {
    static let select1 = "SELECT 1"
    static let lookUp = "SELECT v FROM bench_kv WHERE id=$1"
    static let update = "UPDATE bench_kv SET n=n+1 WHERE id=$1"

    static func statement(_ operation: String, _ keys: inout KeyStream) -> SQLStatement {
        switch operation {
        case "select1": SQLStatement(select1, role: .read)
        case "upd", "write": SQLStatement(update, [.int(keys.key())], role: .write)
        default: SQLStatement(lookUp, [.int(keys.key())], role: .read)
        }
    }
}

/// An answer that is not the one that was asked for.
struct WrongAnswer: Error, CustomStringConvertible {
    let description: String
}

extension SQLResult {
    /// Every look-up has one row, every update changes one: an empty answer would be fast and wrong.
    func check(_ statement: SQLStatement) throws {
        let isRight = statement.role == .write ? affectedRows == 1 : rows.count == 1 && rows[0].count == 1
        if !isRight {
            throw WrongAnswer(
                description: "\(statement.text) gave \(rows.count) rows and changed \(affectedRows), expected one")
        }
    }
}

/// Acquire and release at once, as the other pools are measured.
///
/// Nothing suspends while a connection is idle, so a worker would keep its thread until the end of the measurement: it lets
/// the others go on after every 64, as the harness does with the pools of coroutines in Python.
struct AcquireRelease<D: Driver>: BenchOperation {
    let pool: Pool<D>
    var yieldEvery: Int { 64 }

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        try await pool.acquire(site: .here()).release()
        return 0
    }
}

/// Acquire, hold for a while without a thread, release. Only the pool's own time counts as the latency.
struct AcquireHoldRelease<D: Driver>: BenchOperation {
    let pool: Pool<D>
    let loops: EventLoopGroup
    let holdNanoseconds: UInt64

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let lease = try await pool.acquire(site: .here())
        let start = MonotonicInstant.now
        let end = MonotonicInstant(nanoseconds: start.nanoseconds + holdNanoseconds)
        do { try await loops.nearest().sleep(until: end) } catch {
            lease.release()
            throw error
        }
        let held = MonotonicInstant.now.nanoseconds - start.nanoseconds
        lease.release()
        return held
    }
}

/// One statement on a borrowed connection.
struct QueryThroughPool<D: Driver>: BenchOperation {
    let pool: Pool<D>
    let operation: String

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let statement: SQLStatement
        if operation == "mix90" {
            statement = BenchSQL.statement(keys.next() % 10 == 0 ? "upd" : "pk", &keys)
        } else {
            statement = BenchSQL.statement(operation, &keys)
        }
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

/// A batch on a borrowed connection. The keys ascend: the batch is one transaction, and unordered updates would deadlock.
struct BatchThroughPool<D: Driver>: BenchOperation {
    let pool: Pool<D>
    let operation: String
    let depth: Int
    var weight: Int { depth }

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let half = KeyStream.keys / 2
        let base = Int(keys.next() % UInt64(half))
        let text = operation == "upd" ? BenchSQL.update : BenchSQL.lookUp
        let batch = (0..<depth).map { item in
            SQLStatement(
                text, [.int(Int64(base + item * (half / depth) + 1))], role: operation == "upd" ? .write : .read)
        }
        let lease = try await pool.acquire(site: .here())
        let results = await lease.connection.execute(
            batch: batch, atomicity: .allOrNothing, deadline: .now.advanced(by: .seconds(30)))
        lease.release()
        for (statement, result) in zip(batch, results) { try result.get().check(statement) }
        return 0
    }
}

/// A connection for each statement.
struct ConnectPerQuery<D: Driver>: BenchOperation {
    let driver: D
    let operation: String

    func run(_ keys: inout KeyStream) async throws -> UInt64 {
        let statement: SQLStatement
        if operation == "mix90" {
            statement = BenchSQL.statement(keys.next() % 10 == 0 ? "upd" : "pk", &keys)
        } else {
            statement = BenchSQL.statement(operation, &keys)
        }
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
