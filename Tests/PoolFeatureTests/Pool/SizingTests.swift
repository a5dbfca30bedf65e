import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

extension ServerPoolTests {
    @Suite("Sizing and life")
    struct Sizing {
        @Test("The warm-up opens minIdle sessions and says when it is done")
        func warmUp() async throws {
            var limits = ServerPool.patient(maxOpen: 5)
            limits.minIdle = 3
            try await ServerPool.with(limits) { server in
                #expect(await server.pool.waitUntilFilled(deadline: .inTenMinutes))
                #expect(server.pool.gauges.idle == 3)
                let sessions = try await server.sessions()
                #expect(sessions.count == 3)
            }
        }

        @Test("A warm-up that is not done by its deadline says so; the pool goes on")
        func warmUpDeadline() async throws {
            var limits = ServerPool.patient(maxOpen: 2)
            limits.minIdle = 2
            // The second connect would come after a quarter of an hour.
            limits.connectsPerSecond = 0.001
            try await ServerPool.with(limits) { server in
                let isFilled = await server.pool.waitUntilFilled(deadline: .now.advanced(by: .milliseconds(50)))
                #expect(!isFilled)
                let answer = try await server.pool.run("SELECT 1")
                #expect(answer.rows == [[.int(1)]])
            }
        }

        @Test("Twenty borrowers never have more sessions than maxOpen, and each is served")
        func maxOpen() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 3)) { server in
                let served = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<20 {
                        group.addTask { try await server.pool.run("SELECT pg_sleep(0.01)").rows.count }
                    }
                    var most = 0
                    while most < 3 { most = max(most, try await server.sessions().count) }
                    #expect(most == 3)
                    return try await group.reduce(0, +)
                }
                #expect(served == 20)
                // The server sees a session a little before the pool does.
                try await server.eventually { $0.connectsOpened >= 3 }
                #expect(server.pool.metrics.connectsOpened == 3)
                #expect(try await server.sessions().count == 3)
            }
        }

        @Test("Of what comes back only maxIdle sessions are kept")
        func maxIdle() async throws {
            var limits = ServerPool.patient(maxOpen: 4)
            limits.maxIdle = 1
            try await ServerPool.with(limits) { server in
                try await server.holding(4) { #expect(Set($0).count == 4) }
                try await server.untilSessions { $0 == 1 }
                #expect(server.pool.metrics.maxIdleClosed == 3)
            }
        }

        @Test("A session ends at its maximum lifetime: while idle, and when it comes back")
        func maxLifetime() async throws {
            var limits = ServerPool.patient(maxOpen: 2)
            limits.maxLifetime = .milliseconds(300)
            try await ServerPool.with(limits) { server in
                // One of them is still lent when its time comes.
                let pids = try await server.holding(1) { held in
                    let idle = try await server.pid()
                    #expect(!held.contains(idle))
                    try await server.eventually { $0.maxLifetimeClosed == 1 }
                    try await server.ask("SELECT pg_sleep(0.4)")
                    try await server.untilSessions { $0 == 1 }
                    #expect(try await server.sessions() == held)
                    return held + [idle]
                }
                try await server.untilSessions { $0 == 0 }
                #expect(server.pool.metrics.maxLifetimeClosed == 2)
                #expect(try await !pids.contains(server.pid()))
            }
        }

        @Test("A session that nobody uses ends after maxIdleTime, but not those that minIdle keeps")
        func maxIdleTime() async throws {
            var limits = ServerPool.patient(maxOpen: 4)
            limits.minIdle = 1
            limits.maxIdleTime = .milliseconds(200)
            try await ServerPool.with(limits) { server in
                try await server.holding(4) { _ in }
                try await server.untilSessions { $0 == 1 }
                #expect(server.pool.metrics.maxIdleTimeClosed == 3)
            }
        }

        @Test("A pool can grow and shrink while it works")
        func resize() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 1)) { server in
                try await server.holding(1) { first in
                    let second = Task { try await server.pid() }
                    try await server.eventually { $0.gauges.waiting == 1 }
                    server.pool.resize(maxOpen: 4)
                    #expect(try await !first.contains(second.value))
                }
                try await server.holding(4) { _ in
                    server.pool.resize(maxOpen: 1)
                    let sessions = try await server.sessions()
                    #expect(sessions.count == 4)
                }
                try await server.untilSessions { $0 == 1 }
                #expect(server.pool.configuration.maxOpen == 1)
                #expect(try await server.pool.run("SELECT 1").rows == [[.int(1)]])
            }
        }

        @Test("A suspended pool lets nobody on the server until it is resumed")
        func suspend() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 2)) { server in
                server.pool.suspend()
                let call = Task { try await server.pool.run("SELECT 7") }
                try await server.eventually { $0.gauges.waiting == 1 && $0.isSuspended }
                #expect(try await server.sessions().isEmpty)
                server.pool.resume()
                #expect(try await call.value.rows == [[.int(7)]])
            }
        }

        @Test("Retiring replaces the sessions of that moment, as after a failover")
        func retireAll() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 3)) { server in
                let old = try await server.holding(2) { $0 }
                let lent = try await server.holding(1) { lent in
                    server.pool.retireAll()
                    try await server.untilSessions { $0 == 1 }
                    return lent
                }
                try await server.untilSessions { $0 == 0 }
                #expect(old.contains(lent[0]))
                #expect(try await !old.contains(server.pid()))
            }
        }

        @Test("One waiter more than maxWaiters is told so at once")
        func maxWaiters() async throws {
            var limits = ServerPool.patient(maxOpen: 1)
            limits.maxWaiters = 2
            try await ServerPool.with(limits) { server in
                let waiters = try await server.holding(1) { _ in
                    let waiters = (0..<2).map { _ in Task { try await server.pid() } }
                    try await server.eventually { $0.gauges.waiting == 2 }
                    await #expect(throws: PoolError.tooManyWaiters(limit: 2)) { try await server.pid() }
                    return waiters
                }
                for waiter in waiters { _ = try await waiter.value }
            }
        }

        @Test("Waiters get the one connection in the order in which they came")
        func fifo() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 1)) { server in
                let order = Watched<[Int]>([])
                let waiters = try await server.holding(1) { _ in
                    var waiters: [Task<Void, any Error>] = []
                    for number in 0..<5 {
                        waiters.append(
                            Task {
                                try await server.pool.withConnection { lease in
                                    order.change { $0.append(number) }
                                    _ = try await lease.execute(SQLStatement("SELECT 1", role: .read))
                                }
                            })
                        try await server.eventually { $0.gauges.waiting == number + 1 }
                    }
                    return waiters
                }
                for waiter in waiters { try await waiter.value }
                #expect(order.value == [0, 1, 2, 3, 4])
            }
        }

        @Test("Idle sessions are lent last in first out, or in turn", arguments: IdleOrder.allCases)
        func idleOrder(_ order: IdleOrder) async throws {
            var limits = ServerPool.patient(maxOpen: 3)
            limits.idleOrder = order
            try await ServerPool.with(limits) { server in
                try await server.holding(3) { _ in }
                var pids: Set<Int32> = []
                for _ in 0..<3 { pids.insert(try await server.pid()) }
                #expect(pids.count == (order == .lastUsedFirst ? 1 : 3))
            }
        }
    }
}
