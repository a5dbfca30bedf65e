import ConnectionPool
import DatabaseServers
import EventLoop
import Glibc
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import PostgresDriver

@Suite("Asking the server to stop", .timeLimit(.minutes(15)))
struct CancelTests {
    @Test("Over TCP and over a Unix socket", arguments: [true, false])
    func runningStatementEndsWithTheServersError(overTCP: Bool) async throws {
        let server = try await TestPostgres.shared()
        let url =
            overTCP
            ? server.url
            : "host=\(server.socketDirectory) port=\(server.port) user=\(server.server.role) dbname=postgres"
        try await withPostgres(url: url) { fixture in
            let connection = try await fixture.connect()
            async let error = failure { () throws(DriverError) in try await connection.run("select pg_sleep(600)") }
            try await fixture.untilAsleep(connection)
            await connection.cancelRunningStatement(deadline: .soon)
            #expect(await error?.cause == .server(sqlState: "57014"))
            #expect(connection.transactionStatus == .idle)
            try await connection.check(deadline: .soon)
            await connection.close(deadline: .soon)
        }
    }

    @Test func idleSessionIsLeftAlone() async throws {
        try await withPostgres { fixture in
            await fixture.observer.cancelRunningStatement(deadline: .soon)
            try await fixture.observer.check(deadline: .soon)
        }
    }

    @Test("Nothing runs on after its client has left", arguments: [true, false])
    func statementThatIsGivenUpEndsOnTheServer(byDeadline: Bool) async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let pid = SQLValue.int(Int64(connection.backendPID ?? 0))
            // Its client keeps the socket open, so only the cancel request can end it.
            let statement = Task {
                await failureAtDeadline(milliseconds: byDeadline ? 300 : 600_000) { deadline throws(DriverError) in
                    try await connection.execute(
                        SQLStatement("select pg_sleep(600)", role: .read), deadline: deadline)
                }.error
            }
            if !byDeadline {
                try await fixture.untilAsleep(connection)
                statement.cancel()
            }
            #expect(await statement.value?.cause == (byDeadline ? .timedOut : .cancelled))
            let question = SQLStatement(
                "select count(*) from pg_stat_activity where pid = $1 and state = 'active'", [pid], role: .read)
            let deadline = MonotonicInstant.soon
            while try await fixture.observer.execute(question, deadline: deadline).rows != [[.int(0)]] {}
            await connection.close(deadline: .soon)
        }
    }

    @Test("A cancel request that comes before the server has begun the statement is not the last one")
    func statementThatBeginsAfterItsCancelEndsToo() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let pid = try #require(connection.backendPID)
            #expect(kill(pid_t(pid), SIGSTOP) == 0)
            let (error, _) = await failureAtDeadline(milliseconds: 100) { deadline throws(DriverError) in
                try await connection.execute(SQLStatement("select pg_sleep(600)", role: .read), deadline: deadline)
            }
            #expect(error?.cause == .timedOut)
            // The first request is there as soon as a SIGINT (number 2) waits for the process.
            while try Self.pendingSignals(of: pid) & 1 << (SIGINT - 1) == 0 {
                try await fixture.observer.check(deadline: .soon)
            }
            await connection.close(deadline: .soon)
            #expect(kill(pid_t(pid), SIGCONT) == 0)
            let question = SQLStatement(
                "select count(*) from pg_stat_activity where pid = $1", [.int(Int64(pid))], role: .read)
            let deadline = MonotonicInstant.soon
            while try await fixture.observer.execute(question, deadline: deadline).rows != [[.int(0)]] {}
        }
    }

    /// Those sent to the process as a whole, as a set of bits; see proc_pid_status(5).
    private static func pendingSignals(of pid: Int) throws -> UInt64 {
        let file = try #require(fopen("/proc/\(pid)/status", "r"))
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 512)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            if text.hasPrefix("ShdPnd:") { return UInt64(text.split(separator: "\t")[1].dropLast(), radix: 16) ?? 0 }
        }
        return 0
    }

    @Test func serverThatDoesNotListenHoldsUpNobody() async throws {
        try await withPostgres { fixture in
            let silent = SilentListener()
            let connection = try await fixture.connect()
            var target = try #require(connection.session.state.withLock { $0.cancelTarget })
            // The same key, sent to where nobody answers.
            target = try #require(target.redirected(to: silent.port))
            let request = CancelRequest(target: target, loop: fixture.loop)
            let (seen, deadline) = await withGrowingPatience(milliseconds: 50) { deadline in
                (isDone: await request.run(until: deadline), clients: await silent.acceptAll())
            } hasBegun: {
                $0.clients.accepted > 0
            }
            #expect(!seen.isDone)
            #expect(.now >= deadline)
            #expect(seen.clients == (1, 1))
            await connection.close(deadline: .soon)
        }
    }
}

extension CancelTarget {
    /// The same request for a port of 127.0.0.1.
    fileprivate func redirected(to port: UInt16) -> CancelTarget? {
        var bytes = address
        guard bytes.count >= 8, bytes[0] == 2 else { return nil }
        (bytes[2], bytes[3]) = (UInt8(port >> 8), UInt8(port & 0xff))
        return CancelTarget(address: bytes, request: request)
    }
}
