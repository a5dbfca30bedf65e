import ConnectionPool
import Glibc
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

extension ServerPoolTests {
    @Suite("Reset on release")
    struct ResetOnRelease {
        /// Leaves an open transaction, a setting and a temporary table behind.
        private func leaveTraces(_ server: ServerPool) async throws -> Int32 {
            try await server.pool.withConnection { lease in
                for (text, role) in [
                    ("SET work_mem = '7MB'", SQLStatement.Role.write), ("CREATE TEMP TABLE leftover (n int)", .write),
                    ("BEGIN", .begin), ("INSERT INTO leftover VALUES (1)", .write),
                ] {
                    _ = try await lease.execute(SQLStatement(text, role: role))
                }
                return try #require(lease.connection.backendPID.map(Int32.init))
            }
        }

        private let question =
            "SELECT current_setting('work_mem'), to_regclass('pg_temp.leftover')::text, "
            + "pg_current_xact_id_if_assigned()::text, pg_backend_pid()"

        @Test("Without a reset a session in a transaction is destroyed")
        func none() async throws {
            var limits = ServerPool.patient(maxOpen: 1)
            limits.reset = .none
            try await ServerPool.with(limits) { server in
                let old = try await leaveTraces(server)
                let row = try await server.pool.run(question).rows[0]
                #expect(row[0] == .text("4MB"))
                #expect(row[1] == .null)
                #expect(row[3] != .int(Int64(old)))
            }
        }

        @Test("A rollback ends the transaction and keeps the session as it is")
        func rollback() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 1)) { server in
                let old = try await leaveTraces(server)
                let row = try await server.pool.run(question).rows[0]
                #expect(row == [.text("7MB"), .text("leftover"), .null, .int(Int64(old))])
                #expect(try await server.pool.run("SELECT count(*) FROM leftover").rows == [[.int(0)]])
                #expect(server.pool.metrics.resets == 1)
            }
        }

        @Test("A full reset leaves nothing of the former borrower but the session, also where no transaction was open")
        func full() async throws {
            var limits = ServerPool.patient(maxOpen: 1)
            limits.reset = .full
            try await ServerPool.with(limits) { server in
                let old = try await leaveTraces(server)
                for _ in 0..<2 {
                    let row = try await server.pool.run(question).rows[0]
                    #expect(row == [.text("4MB"), .null, .null, .int(Int64(old))])
                    _ = try await server.pool.run("SET work_mem = '9MB'")
                }
            }
        }

        @Test("A session in a failed transaction is rolled back and used again")
        func failedTransaction() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 1)) { server in
                let old = try await server.pid()
                await #expect(throws: DriverError.self) {
                    try await server.pool.withConnection { lease in
                        _ = try await lease.execute(SQLStatement("BEGIN", role: .begin))
                        _ = try await lease.execute(SQLStatement("SELECT 1 / 0", role: .read))
                    }
                }
                #expect(try await server.pid() == old)
                #expect(try await server.pool.run("SELECT 1").rows == [[.int(1)]])
            }
        }

        @Test("A reset that the server does not answer costs its limit and the session, no more")
        func bounded() async throws {
            var limits = ServerPool.patient(maxOpen: 1)
            limits.releaseTimeout = .milliseconds(300)
            try await ServerPool.with(limits) { server in
                var frozen: Int32 = 0
                defer { if frozen > 0 { kill(frozen, SIGCONT) } }
                frozen = try await server.pool.withConnection { lease in
                    _ = try await lease.execute(SQLStatement("BEGIN", role: .begin))
                    let pid = try #require(lease.connection.backendPID.map(Int32.init))
                    try #require(kill(pid, SIGSTOP) == 0)
                    return pid
                }
                #expect(try await server.pid() != frozen)
            }
        }

        @Test("A borrower who is cancelled in the middle of a transaction leaves nothing of it")
        func cancelled() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 1)) { server in
                try await server.ask("CREATE TABLE IF NOT EXISTS pool_cancelled (n int)")
                let call = Task {
                    try await server.pool.withConnection { lease in
                        _ = try await lease.execute(SQLStatement("BEGIN", role: .begin))
                        _ = try await lease.execute(SQLStatement("INSERT INTO pool_cancelled VALUES (1)", role: .write))
                        _ = try await lease.execute(SQLStatement("SELECT pg_sleep(600)", role: .read))
                    }
                }
                try await server.untilSomeoneSleeps()
                call.cancel()
                await #expect(throws: DriverError.self) { try await call.value }
                #expect(try await server.pool.run("SELECT count(*) FROM pool_cancelled").rows == [[.int(0)]])
                try await server.ask("DROP TABLE pool_cancelled")
            }
        }
    }
}
