import ConnectionPool
import EventLoop
import Glibc
import PostgresDriver
import RigModel
import RigTestSupport
import Synchronization
import Threading
import Workloads

/// The parts of ``StormTests``: a pool on a real server, workers that are cancelled, someone who kills, and the books.
final class Storm: ConnectionBeside, Sendable {
    static let connections = 16

    /// What one operation came to.
    struct Entry: Sendable {
        let id: Int64
        /// Rows that it writes when it succeeds.
        let rows: Int
        let outcome: Outcome
        let wasCancelled: Bool
    }

    let pool: Pool<PostgresDriver>
    private let instrumented: InstrumentedPool<PostgresDriver>
    let admin: PostgresConnection
    let applicationName = "storm-\(getpid())-\(MonotonicInstant.now.nanoseconds)"
    private let table: String
    private let isOver = Atomic<Bool>(false)

    /// - Parameter url: a server with room for the pool's connections and one more.
    init(url: String, loops: EventLoopGroup) async throws {
        var configuration = try PostgresConfiguration(url: url)
        admin = try await PostgresDriver(configuration: configuration, loops: loops).connect(deadline: .inTenMinutes)
        configuration.applicationName = applicationName
        pool = Pool(
            driver: PostgresDriver(configuration: configuration, loops: loops),
            configuration: .patient(maxOpen: Self.connections),
            runtime: LoopRuntime(loops: loops), seed: 7)
        instrumented = InstrumentedPool(
            pool: pool, policy: RetryPolicy(mode: .none), begin: SQLStatement("BEGIN", role: .begin), seed: 7)
        table = "storm_\(getpid())_\(MonotonicInstant.now.nanoseconds)"
        try await ask("CREATE UNLOGGED TABLE \(table) (id bigint NOT NULL)")
    }

    // MARK: The storm

    /// One worker: an operation after the other, some of them cancelled after a random time.
    func work(_ worker: Int, on loop: EventLoop, until end: MonotonicInstant) async throws -> [Entry] {
        var generator = SeededGenerator(seed: UInt64(worker), stream: "storm")
        var entries: [Entry] = []
        while MonotonicInstant.now < end {
            let id = OperationID(worker: worker, sequence: entries.count).rawValue
            let isTransaction = generator.nextUnit() < 0.4
            let insert = SQLStatement("INSERT INTO \(table) VALUES ($1::bigint)", [.int(id)], role: .write)
            let request = UseRequest(isTransaction: isTransaction, site: .here()) { _ in
                isTransaction ? [insert, insert] : [insert]
            }
            let use = Task(executorPreference: loop) { [instrumented] in await instrumented.use(request) }
            let isCancelled = generator.nextUnit() < 0.3
            if isCancelled {
                let patience = Duration.nanoseconds(Int64(generator.nextUnit() * generator.nextUnit() * 200_000_000))
                try await loop.sleep(until: .now.advanced(by: patience))
                use.cancel()
            }
            entries.append(
                Entry(
                    id: id, rows: isTransaction ? 2 : 1, outcome: await use.value.outcome, wasCancelled: isCancelled))
        }
        return entries
    }

    /// Ends sessions of the pool on the server, one after the other.
    ///
    /// - Returns: how many.
    func killUntilStopped() async throws -> Int {
        var kills = 0
        while !isOver.load(ordering: .relaxed) {
            let killed = try await ask(
                "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE application_name = $1 "
                    + "ORDER BY random() LIMIT 1", [.text(applicationName)])
            kills += killed.rows.count
            try await ask("SELECT pg_sleep(0.03)")
        }
        return kills
    }

    func stopKilling() { isOver.store(true, ordering: .relaxed) }

    // MARK: The books

    /// Borrows as many connections as the pool has, all at the same time.
    ///
    /// - Returns: how many different servers processes answered.
    func borrowAllAtOnce() async throws -> Int {
        let arrived = Watched(0)
        let pids = try await withThrowingTaskGroup(of: SQLValue.self) { [pool] group in
            for _ in 0..<Self.connections {
                group.addTask {
                    try await pool.withConnection { lease in
                        let pid = try await lease.execute(SQLStatement("SELECT pg_backend_pid()", role: .read))
                        arrived.change { $0 += 1 }
                        // Nobody gives back before everybody holds one.
                        try await arrived.wait { $0 == Self.connections }
                        return pid.rows[0][0]
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        return Set(pids.compactMap(\.intValue)).count
    }

    /// How often each id is in the table.
    func writtenRows() async throws -> [Int64: Int] {
        var counts: [Int64: Int] = [:]
        var last = Int64.min
        while true {
            let page = try await ask(
                "SELECT id, count(*) FROM \(table) WHERE id > $1::bigint GROUP BY id ORDER BY id LIMIT 20000",
                [.int(last)])
            for row in page.rows {
                guard let id = row[0].intValue, let count = row[1].intValue else { continue }
                counts[id] = Int(count)
                last = id
            }
            if page.rows.isEmpty { return counts }
        }
    }

    func end() async {
        _ = try? await ask("DROP TABLE \(table)")
        await admin.close(deadline: .inTenMinutes)
    }
}
