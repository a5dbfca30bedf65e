import ConnectionPool
import DatabaseServers
import Glibc
import HostSystem
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import PostgresDriver

@Suite("Behind PgBouncer in transaction mode", .timeLimit(.minutes(15)))
struct PgBouncerTests {
    @Test("Prepared statements are given up when the pooler swaps servers, and every statement still succeeds")
    func statementsFallBackToNamelessOnes() async throws {
        try await withBouncer { url in
            try await withPostgres(url: url) { fixture in
                let (first, second) = (try await fixture.connect(), try await fixture.connect())
                for round in 0..<8 {
                    // While the observer's transaction holds one server the others are given the other one; then PgBouncer
                    // gives the one that was given back last.
                    for isHeld in [true, false] {
                        if isHeld { try await fixture.observer.run("begin", role: .begin) }
                        for connection in [first, second] {
                            let value = SQLValue.int(Int64(round))
                            let result = try await connection.run("select $1::int", [value], role: .read)
                            #expect(result.rows == [[value]])
                            let batch = await connection.execute(
                                batch: (0..<3).map { _ in SQLStatement("select $1::int, 1", [value], role: .read) },
                                atomicity: round % 2 == 0 ? .allOrNothing : .independent, deadline: .soon)
                            for item in batch { #expect(try item.get().rows == [[value, .int(1)]]) }
                        }
                        if isHeld { try await fixture.observer.run("rollback", role: .rollback) }
                    }
                }
                let before = fixture.driver.statementCacheCounts
                for connection in [first, second] {
                    #expect(connection.session.state.withLock { $0.cache.hasGivenUp })
                    try await connection.run("select $1::int", [.int(1)], role: .read)
                }
                #expect(fixture.driver.statementCacheCounts.hits == before.hits, "for good")
                for connection in [first, second] { await connection.close(deadline: .soon) }
            }
        }
    }

    @Test("A name never means another client's text")
    func twoClientsWithDifferentTextsNeverMix() async throws {
        try await withBouncer { url in
            try await withPostgres(url: url) { fixture in
                let total = try await withThrowingTaskGroup(of: Int.self) { group in
                    for client in 0..<6 {
                        group.addTask {
                            let connection = try await fixture.connect()
                            var right = 0
                            for round in 0..<60 {
                                let result = try await connection.run(
                                    "select \(client)::int, $1::int", [.int(Int64(round))], role: .read)
                                if result.rows == [[.int(Int64(client)), .int(Int64(round))]] { right += 1 }
                            }
                            await connection.close(deadline: .soon)
                            return right
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(total == 360)
            }
        }
    }

    @Test func cancelReachesTheServerThroughThePooler() async throws {
        try await withBouncer { url in
            let direct = try await TestPostgres.shared().url
            try await withPostgres(url: direct) { outside in
                try await withPostgres(url: url) { fixture in
                    let name = "bouncer_\(outside.observer.backendPID ?? 0)"
                    let connection = try await fixture.connect()
                    async let error = failure { () throws(DriverError) in
                        try await connection.run("select pg_sleep(600), '\(name)'")
                    }
                    let question = SQLStatement(
                        "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and query like $1",
                        [.text("%\(name)%")], role: .read)
                    let deadline = MonotonicInstant.soon
                    while try await outside.observer.execute(question, deadline: deadline).rows != [[.int(1)]] {}
                    await connection.cancelRunningStatement(deadline: .soon)
                    #expect(await error?.cause == .server(sqlState: "57014"))
                    await connection.close(deadline: .soon)
                }
            }
        }
    }

    /// Lends the URL of a PgBouncer that has two servers for all of its clients.
    private func withBouncer(_ body: (String) async throws -> Void) async throws {
        let postgres = try await TestPostgres.shared()
        let bouncer = try await Bouncer.started(port: postgres.port, role: postgres.server.role)
        do {
            try await body(bouncer.url)
        } catch {
            bouncer.stop()
            throw error
        }
        bouncer.stop()
    }
}
