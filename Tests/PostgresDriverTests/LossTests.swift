import ConnectionPool
import DatabaseServers
import EventLoop
import Glibc
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import PostgresDriver

@Suite("A session that ends", .timeLimit(.minutes(15)))
struct LossTests {
    @Test func terminatedWhileIdleIsSeenBeforeAnythingIsSent() async throws {
        try await withPostgres { fixture in
            for looksFirst in [true, false] {
                let victim = try await fixture.connect()
                try await fixture.terminate(victim)
                await fixture.untilFarewell(victim)
                if looksFirst { #expect(!victim.looksAlive()) }
                let error = await failure { () throws(DriverError) in try await victim.run("select 1") }
                #expect(error?.requestSent == false)
                #expect(error?.cause == .sessionEnded(sqlState: "57P01"))
                #expect(error?.provesLoss == true)
                #expect(!victim.looksAlive())
                #expect(victim.transactionStatus == .unusable)
                await victim.close(deadline: .soon)
            }
        }
    }

    @Test func terminatedWhileBusyKeepsItsCode() async throws {
        try await withPostgres { fixture in
            let victim = try await fixture.connect()
            async let error = failure { () throws(DriverError) in try await victim.run("select pg_sleep(60)") }
            try await fixture.untilAsleep(victim)
            try await fixture.terminate(victim)
            let seen = await error
            #expect(seen?.cause == .sessionEnded(sqlState: "57P01"))
            #expect(seen?.message == "FATAL: terminating connection due to administrator command")
            #expect(seen?.requestSent == true)
            #expect(victim.transactionStatus == .unusable)
            await victim.close(deadline: .soon)
        }
    }

    @Test(
        "The server's own reasons keep their codes",
        arguments: [
            ("set idle_session_timeout = 20", "57P05"),
            ("begin; set local idle_in_transaction_session_timeout = 20", "25P03"),
        ])
    func idleTimeoutsKeepTheirCodes(setup: String, state: String) async throws {
        try await withPostgres { fixture in
            let victim = try await fixture.connect()
            for text in setup.split(separator: ";") { try await victim.run(String(text)) }
            let deadline = MonotonicInstant.soon
            let question = SQLStatement(
                "select count(*) from pg_stat_activity where pid = $1::int", [.int(Int64(victim.backendPID ?? 0))],
                role: .read)
            while try await fixture.observer.execute(question, deadline: deadline).rows != [[.int(0)]] {}
            await fixture.untilFarewell(victim)
            let error = await failure { () throws(DriverError) in try await victim.run("select 1") }
            #expect(error?.cause == .sessionEnded(sqlState: state))
            #expect(error?.requestSent == false)
            await victim.close(deadline: .soon)
        }
    }

    @Test("A crash is told by notices only, to the session that dies and to all others")
    func crashOfTheServerKeepsItsCode() async throws {
        try await TestPostgres.withPrivateServer { server in
            let loopURL = server.url
            try await withPostgres(url: loopURL) { fixture in
                let (victim, busy, idle) = (
                    try await fixture.connect(), try await fixture.connect(), try await fixture.connect()
                )
                async let first = failure { () throws(DriverError) in try await victim.run("select pg_sleep(60)") }
                async let second = failure { () throws(DriverError) in try await busy.run("select pg_sleep(60)") }
                try await fixture.untilAsleep(victim)
                try await fixture.untilAsleep(busy)
                let pid = Int32(victim.backendPID ?? 0)
                try #require(pid > 1 && kill(pid, SIGQUIT) == 0)
                let (victimError, busyError) = await (first, second)
                // What a server says to a SIGQUIT from outside: PostgreSQL 14 and later, 13.
                #expect(["57P01", "57P02"].contains(victimError?.cause.code))
                #expect(victimError?.provesLoss == true)
                #expect(busyError?.cause == .sessionEnded(sqlState: "57P02"))
                let deadline = MonotonicInstant.soon
                while idle.looksAlive(), .now < deadline { await Task.yield() }
                let idleError = await failure { () throws(DriverError) in try await idle.run("select 1") }
                #expect(idleError?.requestSent == false)
                #expect(idleError?.provesLoss == true)
                for connection in [victim, busy, idle] { await connection.close(deadline: .soon) }
            }
        }
    }

    @Test func deadlineOfAStatementMakesTheConnectionUnusable() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let (error, deadline) = await failureAtDeadline(milliseconds: 30) { deadline throws(DriverError) in
                try await connection.execute(SQLStatement("select pg_sleep(60)", role: .read), deadline: deadline)
            }
            #expect(error?.cause == .timedOut)
            #expect(error?.requestSent == true)
            #expect(.now >= deadline)
            await expectUnusable(connection)
            try await fixture.terminate(connection)
        }
    }

    @Test func cancelledStatementMakesTheConnectionUnusable() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let statement = Task {
                await failure { () throws(DriverError) in try await connection.run("select pg_sleep(60)") }
            }
            try await fixture.untilAsleep(connection)
            statement.cancel()
            let error = await statement.value
            #expect(error?.cause == .cancelled)
            #expect(error?.requestSent == true)
            await expectUnusable(connection)
            try await fixture.terminate(connection)
        }
    }

    @Test func abortEndsARunningStatement() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            async let error = failure { () throws(DriverError) in try await connection.run("select pg_sleep(60)") }
            try await fixture.untilAsleep(connection)
            connection.abort()
            let seen = await error
            #expect(seen?.cause == .connectionLost)
            #expect(seen?.message.contains("cut by its owner") == true)
            try await fixture.terminate(connection)
            await connection.close(deadline: .soon)
            connection.abort()  // too late to matter, and harmless
        }
    }

    @Test("Aborts from a thread race statements and closes, and never hit another socket")
    func abortMayComeAtAnyMoment() async throws {
        try await withPostgres { fixture in
            for round in 0..<60 {
                let connection = try await fixture.connect()
                let bystander = try await fixture.connect()
                let cutter = ServiceThread(name: "cutter") {
                    for _ in 0..<(round * 20) { _ = connection.transactionStatus }
                    connection.abort()
                    connection.abort()
                }
                var error: DriverError?
                while error == nil {
                    error = await failure { () throws(DriverError) in try await connection.run("select 1") }
                }
                #expect(error?.cause == .connectionLost)
                await connection.close(deadline: .soon)
                cutter.join()
                try await bystander.check(deadline: .soon)
                await bystander.close(deadline: .soon)
            }
        }
    }

    @Test func loopsEndCancelsItsStatements() async throws {
        let server = try await TestPostgres.shared()
        try await withPostgres(url: server.url) { outer in
            let connection = try await withPostgres(url: server.url) { inner in
                let connection = try await inner.connect()
                let statement = Task {
                    await failure { () throws(DriverError) in try await connection.run("select pg_sleep(60)") }
                }
                try await outer.untilAsleep(connection)
                inner.loop.shutdown()
                #expect(await statement.value?.cause == .cancelled)
                return connection
            }
            try await outer.terminate(connection)
            await connection.close(deadline: .soon)
        }
    }

    private func expectUnusable(_ connection: PostgresConnection) async {
        #expect(connection.transactionStatus == .unusable)
        #expect(!connection.looksAlive())
        let again = await failure { () throws(DriverError) in try await connection.run("select 1") }
        #expect(again?.requestSent == false)
        #expect(again?.message.contains("given up") == true)
        let reset = await failure { () throws(DriverError) in try await connection.reset(.rollback, deadline: .soon) }
        #expect(reset != nil)
        await connection.close(deadline: .soon)
    }
}
