import ConnectionPool
import Glibc
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

/// After each of them ``ServerPool`` waits until the server has no session of the pool any more.
extension ServerPoolTests {
    @Suite("Close")
    struct Closing {
        @Test("A close lets a running statement end, refuses who waits, and cuts nothing")
        func drains() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 1)) { server in
                // It waits for a lock that the test holds.
                try await server.ask("SELECT pg_advisory_lock(hashtext($1))", [.text(server.name)])
                let text = "SELECT 3, pg_advisory_xact_lock(hashtext('\(server.name)'))::text"
                let running = Task { try await server.pool.run(text).rows[0][0] }
                try await server.untilSomeoneSleeps(for: "advisory")
                let waiting = Task { try await server.pid() }
                try await server.eventually { $0.gauges.waiting == 1 }
                let closing = Task { await server.pool.close() }
                await #expect(throws: PoolError.closed) { try await waiting.value }
                try await server.ask("SELECT pg_advisory_unlock(hashtext($1))", [.text(server.name)])
                #expect(await closing.value == 0)
                #expect(try await running.value == .int(3))
                await #expect(throws: PoolError.closed) { try await server.pid() }
            }
        }

        @Test(
            "A statement that would run past the limit is cancelled on the server before it, and its lease comes back")
        func cancels() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 2)) { server in
                let running = Task { try await server.pool.run("SELECT pg_sleep(6000)") }
                try await server.untilSomeoneSleeps()
                // A second of it is for the cancelled statements; on a machine that is slower than that the lease is cut.
                let cut = await server.pool.close(within: .seconds(3))
                let error = await #expect(throws: DriverError.self) { _ = try await running.value }
                if cut == 0 { #expect(error?.cause == .server(sqlState: "57014")) }
                #expect(cut <= 1)
            }
        }

        @Test("A session that does not even answer a cancel is cut at the limit")
        func cuts() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 1)) { server in
                let pid = Watched<Int32>(0)
                let running = Task {
                    try await server.pool.withConnection { lease in
                        pid.change { $0 = lease.connection.backendPID.map(Int32.init) ?? -1 }
                        _ = try await lease.execute(SQLStatement("SELECT pg_sleep(6000)", role: .read))
                    }
                }
                try await server.untilSomeoneSleeps()
                let frozen = pid.value
                try #require(frozen > 0 && kill(frozen, SIGSTOP) == 0)
                #expect(await server.pool.close(within: .milliseconds(500)) == 1)
                await #expect(throws: DriverError.self) { try await running.value }
                // On a busy machine the limit may have passed before the cancel was on its way.
                #expect(kill(frozen, SIGTERM) == 0 && kill(frozen, SIGCONT) == 0)
            }
        }

        @Test("A lease that comes back after the close is closed, not kept")
        func lateReturn() async throws {
            try await ServerPool.with(ServerPool.patient(maxOpen: 2)) { server in
                let closing = try await server.holding(1) { _ in
                    let closing = Task { await server.pool.close() }
                    while true {
                        do { _ = try await server.pid() } catch PoolError.closed { break }
                    }
                    return closing
                }
                #expect(await closing.value == 0)
            }
        }
    }
}
