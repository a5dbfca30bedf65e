import ConnectionPool
import EventLoop
import HostSystem
import PostgresDriver
import RigModel
import SQLiteDriver
import Threading

/// Our own pool and drivers as one of the peers: one call, one row.
package struct BenchPeer: Sendable {
    package static let name = "chaosrig"

    let call: PeerCall
    let tuning: PeerCall.Tuning
    /// How to reach PostgreSQL: a libpq keyword string or URL. SQLite does without.
    let dsn: String

    package init(_ call: PeerCall, tuning: PeerCall.Tuning, dsn: String) {
        self.call = call
        self.tuning = tuning
        self.dsn = dsn
    }

    /// - Throws: ``BenchError`` when nothing could be measured. Operations that failed are counted in the row.
    package func run() async throws(BenchError) -> BenchRow {
        let loops: EventLoopGroup
        do { loops = try EventLoopGroup(count: tuning.loops, name: "bench") } catch { throw .failed("\(error)") }
        let result: Result<BenchRow, BenchError>
        do throws(BenchError) { result = .success(try await run(on: loops)) } catch { result = .failure(error) }
        loops.shutdown()
        return try result.get()
    }

    private func run(on loops: EventLoopGroup) async throws(BenchError) -> BenchRow {
        if call.scenario == .sqlite { return try await runSQLite(on: loops) }
        let driver: PostgresDriver
        do throws(PostgresConfigurationError) {
            driver = PostgresDriver(configuration: try PostgresConfiguration(url: dsn), loops: loops)
        } catch {
            throw .usage(
                "DSN cannot be read: \(error); set it to a libpq connection string or URL, for example "
                    + "\"host=127.0.0.1 port=5432 user=me dbname=test\"")
        }
        let runtime = LoopRuntime(loops: loops)
        switch call.scenario {
        case .connect: return await measure(ConnectPerQuery(driver: driver, operation: call.operation), on: loops)
        case .bulk: return try await BulkLoad(call: call, driver: driver, loops: loops).run()
        case .idle: return try await withPool(driver, runtime) { _ in await idle() }
        case .acquire:
            return try await withPool(driver, runtime) { await measure(AcquireRelease(pool: $0), on: loops) }
        case .acquireAndHold:
            return try await withPool(driver, runtime) {
                await measure(
                    AcquireHoldRelease(pool: $0, loops: loops, holdNanoseconds: 100_000), on: loops)
            }
        case .query:
            return try await withPool(driver, runtime) {
                await measure(QueryThroughPool(pool: $0, operation: call.operation), on: loops)
            }
        case .pipeline:
            return try await withPool(driver, runtime) {
                await measure(
                    BatchThroughPool(pool: $0, operation: call.operation, depth: tuning.variation.depth), on: loops,
                    name: "\(call.operation) depth \(tuning.variation.depth)")
            }
        case .orderEntry: return try await runOrderEntry(driver, on: loops)
        case .sqlite: preconditionFailure("SQLite was served above")
        }
    }

    /// A pool whose connections are all open, as the peers' harnesses warm theirs.
    func withPool<D: Driver>(
        _ driver: D, _ runtime: any PoolRuntime, size: Int? = nil, _ body: (Pool<D>) async throws -> BenchRow
    ) async throws(BenchError) -> BenchRow {
        let size = size ?? call.pool
        var configuration = PoolConfiguration(
            maxOpen: size, acquireTimeout: tuning.acquireTimeout, statementTimeout: .seconds(30))
        configuration.isInstrumented = tuning.variation.isInstrumented
        if let microseconds = tuning.variation.overtakingMicroseconds {
            configuration.overtaking = .microseconds(microseconds)
        }
        let pool = Pool(driver: driver, configuration: configuration, runtime: runtime, seed: 1)
        do {
            try await pool.openAll(size)
            let books = PoolBooks(pool)
            var row = try await body(pool)
            row.extra += books.figures(since: pool, operations: row.perSecond.map { $0 * call.amount } ?? 0)
            _ = await pool.close(within: .seconds(1))
            return row
        } catch {
            _ = await pool.close(within: .seconds(1))
            throw .failed("\(call): \(error)")
        }
    }

    func measure(_ operation: some BenchOperation, on loops: EventLoopGroup, name: String? = nil) async -> BenchRow {
        await measure(operation, on: loops.loops, name: name)
    }

    func measure(
        _ operation: some BenchOperation, on executors: [any TaskExecutor], name: String? = nil
    ) async -> BenchRow {
        let measured = await TaskMeasurement(executors: executors, workers: call.workers).run(
            operation, seconds: call.amount, warmUp: call.scenario == .connect ? 0 : tuning.warmUpSeconds)
        var row = BenchRow(peer: Self.name, call)
        if let name { row.operation = name }
        measured.fill(&row)
        return row
    }

    /// The connections are open and nobody asks for one.
    private func idle() async -> BenchRow {
        let figures = await onOwnThread("idle") { [call] in ProcessFigures.whileIdle(seconds: call.amount) }
        var row = BenchRow(peer: Self.name, call)
        (row.rssMB, row.idleCPUPercent, row.errors) = (figures.residentMB, figures.cpuPercent, 0)
        return row
    }
}

extension Pool {
    /// Opens as many connections and gives them all back.
    func openAll(_ count: Int) async throws {
        if count == 0 { return }
        let lease = try await acquire(site: .here())
        do { try await openAll(count - 1) } catch {
            lease.release()
            throw error
        }
        lease.release()
    }
}
