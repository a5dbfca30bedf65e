import ConnectionPool
import EventLoop
import Glibc
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

/// What the pool promises, on a real server. One test at a time: together they would need more sessions than it has.
@Suite("The pool on a real server", .serialized, .timeLimit(.minutes(15)))
struct ServerPoolTests {}

/// A pool on a real server whose sessions have a name of their own, and a connection beside it.
struct ServerPool: ConnectionBeside {
    let pool: Pool<PostgresDriver>
    let admin: PostgresConnection
    let name: String

    /// Patient, and nothing is checked unless a test asks for it.
    static func patient(maxOpen: Int) -> PoolConfiguration {
        var limits = PoolConfiguration.patient(maxOpen: maxOpen)
        limits.checkTimeout = .seconds(600)
        limits.checkAfterIdle = .seconds(600)
        return limits
    }

    /// Closes the pool afterwards, and waits until the server has no session of it any more.
    ///
    /// - Parameter url: of a server; that of the shared one where `nil`.
    static func with<R>(
        _ limits: PoolConfiguration, url: String? = nil, observer: (any PoolObserver)? = nil,
        _ body: (ServerPool) async throws -> R
    ) async throws -> R {
        let address: String
        if let url { address = url } else { address = try await TestPostgres.shared().url }
        let loops = try EventLoopGroup(count: 2, name: "server-pool")
        defer { loops.shutdown() }
        var configuration = try PostgresConfiguration(url: address)
        let outside = PostgresDriver(configuration: configuration, loops: loops)
        let admin = try await outside.connect(deadline: .inTenMinutes)
        let name = "pool-\(getpid())-\(MonotonicInstant.now.nanoseconds)"
        configuration.applicationName = name
        let pool = Pool(
            driver: PostgresDriver(configuration: configuration, loops: loops), configuration: limits,
            runtime: LoopRuntime(loops: loops), seed: 5, observer: observer)
        let subject = ServerPool(pool: pool, admin: admin, name: name)
        let result: Result<R, any Error>
        do { result = .success(try await body(subject)) } catch { result = .failure(error) }
        _ = await pool.close()
        #expect(pool.gauges == PoolGauges())
        #expect(pool.brokenInvariant() == nil)
        await admin.close(deadline: .inTenMinutes)
        // Another one: the server may have been restarted.
        let last = try await outside.connect(deadline: .inTenMinutes)
        try await ServerPool(pool: pool, admin: last, name: name).untilSessions { $0 == 0 }
        await last.close(deadline: .inTenMinutes)
        return try result.get()
    }

    /// Server processes that serve the pool now.
    func sessions() async throws -> [Int32] { try await sessions(named: name) }

    /// Asks until the number of sessions is as wanted.
    func untilSessions(_ isMet: (Int) -> Bool) async throws { try await untilSessions(named: name, isMet) }

    /// Asks until a session of the pool runs `pg_sleep`, or waits for another event of the server's.
    func untilSomeoneSleeps(for event: String = "PgSleep") async throws {
        let question = "SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND wait_event = $2"
        while try await ask(question, [.text(name), .text(event)]).rows.isEmpty { try Task.checkCancellation() }
    }

    /// Ends all sessions of the pool from outside; returns when their processes have gone.
    func killAll() async throws {
        try await ask(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = $1", [.text(name)])
    }

    /// The server process of one lease.
    func pid() async throws -> Int32 {
        try await pool.withConnection { lease in try #require(lease.connection.backendPID.map(Int32.init)) }
    }

    /// Borrows this many connections at the same time, and holds them during `body`.
    func holding<R: Sendable>(_ count: Int, _ body: @Sendable ([Int32]) async throws -> R) async throws -> R {
        let pids = Watched<[Int32]>([])
        let isOver = Watched(false)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count {
                group.addTask { [pool] in
                    try await pool.withConnection { lease in
                        let pid = try #require(lease.connection.backendPID.map(Int32.init))
                        pids.change { $0.append(pid) }
                        try await isOver.wait { $0 }
                    }
                }
            }
            try await pids.wait { $0.count == count }
            let result: Result<R, any Error>
            do { result = .success(try await body(pids.value)) } catch { result = .failure(error) }
            isOver.change { $0 = true }
            try await group.waitForAll()
            return try result.get()
        }
    }

    /// Looks again and again, letting others run: the pool has no event for what is asked here.
    func eventually(_ isMet: (PoolMetrics) -> Bool) async throws {
        while !isMet(pool.metrics) {
            try Task.checkCancellation()
            // A round trip, so that looking does not take the processor from what is looked for.
            try await ask("SELECT 1")
        }
    }
}
