import ConnectionPool
import DatabaseServers
import EventLoop
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension ServerPoolTests {
    @Suite("Loss and storms")
    struct LossAndStorms {
        /// Looks after each step whether the server has come back, with limits that a test can wait for.
        private func limits(maxOpen: Int) -> PoolConfiguration {
            var limits = ServerPool.patient(maxOpen: maxOpen)
            limits.backoffFirst = .milliseconds(10)
            limits.backoffCap = .milliseconds(100)
            return limits
        }

        @Test("A stopped server opens the breaker: acquires fail at once with the reason; a restarted one closes it")
        func breaker() async throws {
            try await TestPostgres.withPrivateServer { postgres in
                var limits = limits(maxOpen: 3)
                limits.breakerAfter = .milliseconds(300)
                try await ServerPool.with(limits, url: postgres.url) { server in
                    try await server.holding(3) { _ in }
                    try postgres.beginShutdown(.immediate)
                    #expect(await postgres.waitUntilStopped(within: .seconds(600)))
                    // The first ones wait until it opens, and are told then.
                    let call = Task { try await server.pid() }
                    let error = await #expect(throws: PoolError.self) { try await call.value }
                    guard case .breakerOpen(let failingFor, let why) = error else {
                        Issue.record("not the breaker: \(String(describing: error))")
                        return
                    }
                    #expect(failingFor >= .milliseconds(300))
                    #expect(!why.isEmpty)
                    #expect(server.pool.metrics.isBreakerOpen)
                    let before = server.pool.metrics.connectFailures
                    while server.pool.metrics.connectFailures < before + 3 {
                        // It goes on asking for the server, one at a time.
                        #expect(server.pool.gauges.connecting <= 1)
                        try Task.checkCancellation()
                        await Task.yield()
                    }
                    try await postgres.start(within: .seconds(600))
                    while server.pool.metrics.isBreakerOpen {
                        try Task.checkCancellation()
                        await Task.yield()
                    }
                    #expect(try await server.pool.run("SELECT 5").rows == [[.int(5)]])
                    #expect(server.pool.metrics.breakerOpened == 1)
                }
            }
        }

        @Test("After a restart forty waiters are served by connects that are never more at a time than the cap")
        func connectsInFlight() async throws {
            try await TestPostgres.withPrivateServer { postgres in
                let loops = try EventLoopGroup(count: 2, name: "storms")
                defer { loops.shutdown() }
                let driver = CountingDriver(
                    base: PostgresDriver(configuration: try PostgresConfiguration(url: postgres.url), loops: loops))
                var limits = limits(maxOpen: 10)
                limits.maxConnecting = 2
                let pool = Pool(driver: driver, configuration: limits, runtime: LoopRuntime(loops: loops), seed: 3)
                let rounds = Watched(0)
                let answers = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<40 {
                        group.addTask {
                            var answers = 0
                            // Until each has been served before the restart and after it.
                            while answers < 1 || rounds.value < 2 {
                                let result = try? await pool.withConnection { lease in
                                    try await lease.execute(SQLStatement("SELECT pg_sleep(0.005)", role: .read))
                                }
                                if result != nil { answers += 1 }
                            }
                            return answers
                        }
                    }
                    while pool.metrics.acquireCount < 100 {
                        try Task.checkCancellation()
                        await Task.yield()
                    }
                    try postgres.beginShutdown(.immediate)
                    #expect(await postgres.waitUntilStopped(within: .seconds(600)))
                    rounds.change { $0 = 1 }
                    let opened = pool.metrics.connectsOpened
                    try await postgres.start(within: .seconds(600))
                    while pool.metrics.connectsOpened < opened + 2 {
                        try Task.checkCancellation()
                        await Task.yield()
                    }
                    rounds.change { $0 = 2 }
                    return try await group.reduce(0, +)
                }
                #expect(answers >= 40)
                #expect(driver.most == 2)
                #expect(pool.metrics.lostClosed > 0)
                _ = await pool.close()
            }
        }

        @Test("A limit of connects per second spreads those after a restart")
        func connectRate() async throws {
            var limits = ServerPool.patient(maxOpen: 5)
            limits.maxConnecting = 5
            limits.connectsPerSecond = 10
            try await ServerPool.with(limits) { server in
                let began = MonotonicInstant.now
                try await server.holding(5) { _ in }
                // Never sooner: five connects at ten per second.
                #expect(began.duration(to: .now) >= .milliseconds(400))
            }
        }
    }
}

/// Counts the connects that are in flight at the same time.
private final class CountingDriver: Driver {
    let base: PostgresDriver
    private let counts = Lock((now: 0, most: 0))

    init(base: PostgresDriver) { self.base = base }

    var most: Int { counts.withLock { $0.most } }
    var dialect: any SQLDialect { base.dialect }

    func connect(deadline: MonotonicInstant) async throws(DriverError) -> PostgresConnection {
        counts.withLock { counts in
            counts.now += 1
            counts.most = max(counts.most, counts.now)
        }
        defer { counts.withLock { $0.now -= 1 } }
        return try await base.connect(deadline: deadline)
    }
}
