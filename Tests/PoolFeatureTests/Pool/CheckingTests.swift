import ConnectionPool
import Glibc
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension ServerPoolTests {
    @Suite("Checks")
    struct Checking {
        @Test("Within the skip window a session is lent without a round trip, beyond it after one")
        func skipWindow() async throws {
            for (window, checks) in [(Duration.seconds(600), 0), (.zero, 3)] {
                var limits = ServerPool.patient(maxOpen: 1)
                limits.checkAfterIdle = window
                try await ServerPool.with(limits) { server in
                    for _ in 0..<4 { _ = try await server.pid() }
                    #expect(server.pool.metrics.healthChecksOK == checks)
                }
            }
        }

        @Test("A session whose process is frozen costs an acquire the limit of one check, not its own")
        func checkTimeout() async throws {
            var limits = ServerPool.patient(maxOpen: 2)
            limits.checkAfterIdle = .zero
            limits.checkTimeout = .milliseconds(300)
            try await ServerPool.with(limits) { server in
                let frozen = try await server.pid()
                try #require(kill(frozen, SIGSTOP) == 0)
                defer { kill(frozen, SIGCONT) }
                #expect(try await server.pid() != frozen)
                try await server.eventually { $0.healthChecksFailed == 1 }
            }
        }

        @Test("Sessions that were killed while idle are not lent: no borrower sees one of them")
        func killedWhileIdle() async throws {
            var limits = ServerPool.patient(maxOpen: 4)
            limits.backoffCap = .milliseconds(10)
            try await ServerPool.with(limits) { server in
                let old = try await server.holding(4) { Set($0) }
                try await server.killAll()
                let new = try await server.holding(4) { pids in
                    for _ in pids { _ = try await server.ask("SELECT 1") }
                    return Set(pids)
                }
                #expect(new.isDisjoint(with: old))
                #expect(server.pool.metrics.lostClosed == 4)
            }
        }

        @Test("One borrower's loss has all others looked at: the next borrowers get live sessions only")
        func oneLossRetiresTheRest() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 4)) { server in
                try await server.holding(4) { _ in }
                await #expect(throws: DriverError.self) {
                    try await server.pool.withConnection { lease in
                        try await server.killAll()
                        _ = try await lease.execute(SQLStatement("SELECT 1", role: .read))
                    }
                }
                let answers = try await withThrowingTaskGroup(of: SQLResult.self) { group in
                    for _ in 0..<4 { group.addTask { try await server.pool.run("SELECT 1") } }
                    return try await group.reduce(into: []) { $0.append($1.rows) }
                }
                #expect(answers == Array(repeating: [[.int(1)]], count: 4))
                try await server.eventually { $0.lostClosed == 4 }
            }
        }

        @Test("The background check finds a killed session before anyone borrows it")
        func backgroundCheck() async throws {
            var limits = ServerPool.patient(maxOpen: 2)
            limits.minIdle = 2
            limits.healthCheckInterval = .milliseconds(100)
            try await ServerPool.with(limits) { server in
                #expect(await server.pool.waitUntilFilled(deadline: .inTenMinutes))
                try await server.eventually { $0.healthChecksOK >= 4 }
                let old = Set(try await server.sessions())
                try await server.killAll()
                try await server.eventually { $0.lostClosed == 2 && $0.gauges.idle == 2 }
                #expect(try await Set(server.sessions()).isDisjoint(with: old))
            }
        }
    }
}
