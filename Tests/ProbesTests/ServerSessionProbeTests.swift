import ConnectionPool
import DatabaseServers
import EventLoop
import PostgresDriver
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Probes

private let soon = MonotonicInstant.now.advanced(by: .seconds(600))

/// Lends an observer and some sessions of one application on the shared server.
private func withSessions(
    _ count: Int, of application: String,
    _ body: (_ observer: PostgresConnection, _ sessions: [PostgresConnection]) async throws -> Void
) async throws {
    let loop = try EventLoop(name: "test-probes")
    defer { loop.shutdown() }
    var configuration = try PostgresConfiguration(url: try await TestPostgres.shared().url)
    let observer = try await PostgresDriver(configuration: configuration, loop: loop).connect(deadline: soon)
    configuration.applicationName = application
    var sessions: [PostgresConnection] = []
    for _ in 0..<count {
        sessions.append(try await PostgresDriver(configuration: configuration, loop: loop).connect(deadline: soon))
    }
    try await body(observer, sessions)
    for connection in sessions + [observer] { await connection.close(deadline: soon) }
}

@Test func probeListsTheSessionsOfOneApplicationOnly() async throws {
    try await withSessions(2, of: "probe-list") { observer, sessions in
        let probe = ServerSessionProbe(applicationName: "probe-list")
        let found = probe.sessions(in: try await observer.execute(probe.list, deadline: soon))
        #expect(found.map { Int($0.pid) }.sorted() == sessions.compactMap(\.backendPID).sorted())
        #expect(found.allSatisfy { $0.state == "idle" && !$0.startedAt.isEmpty && $0.ageSeconds >= 0 })
        #expect(found.allSatisfy { ($0.clientAddress == nil) == ($0.clientPort == nil) })
    }
}

@Test func probeEndsTheNamedSessionAndNoOther() async throws {
    try await withSessions(2, of: "probe-end") { observer, sessions in
        let probe = ServerSessionProbe(applicationName: "probe-end")
        var found = probe.sessions(in: try await observer.execute(probe.list, deadline: soon))
        let victim = try #require(found.first)
        let other = try #require(found.last)
        // A pid that was used again meanwhile has another start: it must be left alone.
        let ended = try await observer.execute(
            probe.terminate([(victim.pid, victim.startedAt), (other.pid, "1999-01-01 00:00:00+00")]), deadline: soon)
        #expect(probe.terminated(in: ended) == [victim.pid])
        while found.contains(where: { $0.pid == victim.pid }), MonotonicInstant.now < soon {
            found = probe.sessions(in: try await observer.execute(probe.list, deadline: soon))
        }
        #expect(found.map(\.pid) == [other.pid])
        let survivor = try #require(sessions.first { $0.backendPID == Int(other.pid) })
        #expect(survivor.looksAlive())
    }
}

@Test(arguments: [(limit: 1, share: 1.0, expected: 1), (9, 0.5, 2), (9, 0.01, 1), (9, 1, 3)])
func probeCancelsRunningStatementsOfOneApplication(_ limit: Int, _ share: Double, _ expected: Int) async throws {
    let application = "probe-cancel-\(limit)-\(share)"
    try await withSessions(4, of: application) { observer, sessions in
        let probe = ServerSessionProbe(applicationName: application)
        // One stays idle.
        let running = sessions.dropLast().map { session in
            Task { try await session.execute(SQLStatement("SELECT pg_sleep(600)", role: .read), deadline: soon) }
        }
        // Active alone is not enough: a statement that is being prepared is, too, and begins once more when it runs.
        let sleeping = SQLStatement(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event = 'PgSleep'",
            [.text(application)], role: .read)
        while try await observer.execute(sleeping, deadline: soon).rows != [[.int(3)]], MonotonicInstant.now < soon {}
        let active = probe.sessions(in: try await observer.execute(probe.list, deadline: soon))
        let cancel = probe.cancel(atMost: limit, share: share, seed: 1)
        let hit = probe.cancelled(in: try await observer.execute(cancel, deadline: soon))
        #expect(hit.count == expected)
        #expect(
            hit.allSatisfy { hit in
                active.contains { $0.pid == hit.pid && $0.statementStartedAt == hit.statementStartedAt }
            })
        // The others too, so that the sessions can be closed.
        _ = try await observer.execute(probe.cancel(atMost: 9, share: 1, seed: 1), deadline: soon)
        for task in running {
            await #expect { _ = try await task.value } throws: {
                ($0 as? DriverError)?.cause == .server(sqlState: "57014")
            }
        }
    }
}
