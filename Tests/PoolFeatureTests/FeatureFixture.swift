import ConnectionPool
import EventLoop
import Glibc
import PostgresDriver
import RigModel
import RigTestSupport
import SQLiteDriver
import Testing
import Threading

/// Transactions, cache, bulk and watching on real databases. One test at a time: together they would need more sessions
/// than the shared server has.
@Suite("Pool features", .serialized, .timeLimit(.minutes(15)))
struct FeatureTests {}

/// A pool on the shared server, with a table `id bigint primary key, v bigint` of its own.
struct FeatureFixture: ConnectionBeside {
    let pool: Pool<PostgresDriver>
    let runtime: LoopRuntime
    let table: String
    /// A connection of its own, not through the relay.
    let admin: PostgresConnection

    /// - Parameters:
    ///   - port: of a relay in front of the server.
    ///   - adjust: changes the patient limits.
    ///   - watch: makes the pool's observer and watcher.
    static func with<R>(
        maxOpen: Int = 4, port: UInt16? = nil, adjust: (inout PoolConfiguration) -> Void = { _ in },
        watch: (LoopRuntime) -> (observer: (any PoolObserver)?, watcher: (any LeaseWatcher)?) = { _ in (nil, nil) },
        _ body: (FeatureFixture) async throws -> R
    ) async throws -> R {
        let loops = try EventLoopGroup(count: 2, name: "features")
        defer { loops.shutdown() }
        var configuration = try PostgresConfiguration(url: try await TestPostgres.shared().url)
        let admin = try await PostgresDriver(configuration: configuration, loops: loops).connect(
            deadline: .inTenMinutes)
        if let port { configuration.endpoint = PostgresEndpoint(host: "127.0.0.1", port: port) }
        var limits = PoolConfiguration.patient(maxOpen: maxOpen)
        adjust(&limits)
        let runtime = LoopRuntime(loops: loops)
        let (observer, watcher) = watch(runtime)
        let pool = Pool(
            driver: PostgresDriver(configuration: configuration, loops: loops), configuration: limits, runtime: runtime,
            seed: 11, observer: observer, watcher: watcher)
        let table = "feature_\(getpid())_\(MonotonicInstant.now.nanoseconds)"
        let fixture = FeatureFixture(pool: pool, runtime: runtime, table: table, admin: admin)
        _ = try await fixture.ask("CREATE TABLE \(table) (id bigint PRIMARY KEY, v bigint)")
        let result: Result<R, any Error>
        do { result = .success(try await body(fixture)) } catch { result = .failure(error) }
        #expect(await pool.close() == 0)
        #expect(pool.gauges == PoolGauges())
        _ = try await fixture.ask("DROP TABLE \(table)")
        await admin.close(deadline: .inTenMinutes)
        return try result.get()
    }

    func insert(_ id: Int64, _ value: Int64 = 0) -> SQLStatement {
        SQLStatement("INSERT INTO \(table) VALUES ($1::bigint, $2::bigint)", [.int(id), .int(value)], role: .write)
    }

    var rows: [[SQLValue]] {
        get async throws { try await ask("SELECT id, v FROM \(table) ORDER BY id").rows }
    }
}

/// A pool on a database file of its own, with a table `t (id integer primary key, v)`.
enum SQLiteFeature {
    static func with<R>(
        maxOpen: Int = 2, watch: (LoopRuntime) -> (any LeaseWatcher)? = { _ in nil },
        _ body: (Pool<SQLiteDriver>) async throws -> R
    ) async throws -> R {
        let folder = try TemporaryFolder()
        let loop = try EventLoop(name: "sqlite-features")
        defer { loop.shutdown() }
        let driver = SQLiteDriver(SQLiteConfiguration(path: folder.file("test.db"), busyTimeout: .seconds(600)))
        let runtime = LoopRuntime(loop: loop)
        let pool = Pool(
            driver: driver, configuration: .patient(maxOpen: maxOpen), runtime: runtime, seed: 12,
            watcher: watch(runtime))
        try await pool.withConnection { lease in
            _ = try await lease.execute(SQLStatement("CREATE TABLE t (id INTEGER PRIMARY KEY, v)", role: .write))
        }
        let result: Result<R, any Error>
        do { result = .success(try await body(pool)) } catch { result = .failure(error) }
        #expect(await pool.close() == 0)
        return try withExtendedLifetime(folder) { try result.get() }
    }
}

extension Pool {
    /// Runs one statement on a lease of its own.
    @discardableResult
    func run(_ text: String, _ parameters: [SQLValue] = [], role: SQLStatement.Role = .write) async throws -> SQLResult
    {
        try await withConnection { lease in try await lease.execute(SQLStatement(text, parameters, role: role)) }
    }
}
