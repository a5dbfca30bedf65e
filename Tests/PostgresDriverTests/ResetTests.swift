import ConnectionPool
import RigModel
import Testing
import Threading

@testable import PostgresDriver

@Suite("What a session is cleaned of", .timeLimit(.minutes(15)))
struct ResetTests {
    @Test func noneRefusesAnOpenTransactionAndSendsNothing() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.reset(.none, deadline: .now)
            try await connection.run("begin", role: .begin)
            let error = await failure { () throws(DriverError) in try await connection.reset(.none, deadline: .soon) }
            #expect(error?.message.contains("in-transaction") == true)
            #expect(connection.transactionStatus == .inTransaction)
        }
    }

    @Test("Everything goes but prepared statements and what the connection string says", arguments: [true, false])
    func fullLeavesANewSession(isOpen: Bool) async throws {
        try await withPostgres { fixture in
            let driver = fixture.driver {
                $0.serverStatementTimeout = .seconds(7)
                $0.extraOptions = "-c lock_timeout=3s"
            }
            let connection = try await driver.connect(deadline: .soon)
            try await connection.run("select $1::int", [.int(1)], role: .read)
            for text in [
                "set statement_timeout = 1234", "set lock_timeout = 99", "set search_path = pg_catalog",
                "set session characteristics as transaction read only",
                "set session characteristics as transaction read write",
                "create temp table leftover (id int)", "listen news", "select pg_advisory_lock(pg_backend_pid())",
                "create temp sequence s", "select nextval('pg_temp.s')",
                "declare c cursor with hold for select 1",
            ] { try await connection.run(text) }
            if isOpen {
                try await connection.run("begin", role: .begin)
                try await connection.run("set local work_mem = '1MB'")
            }
            try await connection.reset(.full, deadline: .soon)
            #expect(connection.transactionStatus == .idle)
            let seen = try await connection.run(
                """
                select current_setting('statement_timeout'), current_setting('lock_timeout'),
                  current_setting('search_path'), to_regclass('pg_temp.leftover')::text,
                  (select count(*) from pg_listening_channels()), (select count(*) from pg_cursors where is_holdable),
                  (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()),
                  (select count(*) from pg_prepared_statements), current_setting('client_encoding')
                """, role: .read
            ).rows[0]
            #expect(
                seen == [
                    .text("7s"), .text("3s"), .text("\"$user\", public"), .null, .int(0), .int(0), .int(0), .int(1),
                    .text("UTF8"),
                ])
            let before = driver.statementCacheCounts.hits
            try await connection.run("select $1::int", [.int(1)], role: .read)
            #expect(driver.statementCacheCounts.hits == before + 1)
            await connection.close(deadline: .soon)
        }
    }

    @Test func fullEndsAFailedTransactionAndAnotherRole() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let role = "reset_\(connection.backendPID ?? 0)"
            try await connection.run("create role \(role)")
            try await connection.run("set session authorization \(role)")
            try await connection.run("begin", role: .begin)
            _ = await failure { () throws(DriverError) in try await connection.run("select 1/0") }
            #expect(connection.transactionStatus == .failedTransaction)
            try await connection.reset(.full, deadline: .soon)
            let same = try await connection.run("select current_user <> $1", [.text(role)], role: .read)
            #expect(same.rows == [[.bool(true)]])
            try await connection.run("drop role \(role)")
            await connection.close(deadline: .soon)
        }
    }

    @Test func resetIsBoundAndFailsOnADeadSession() async throws {
        try await withPostgres { fixture in
            for policy in [ResetPolicy.rollback, .full] {
                let connection = try await fixture.connect()
                try await connection.run("begin", role: .begin)
                let late = await failure { () throws(DriverError) in try await connection.reset(policy, deadline: .now)
                }
                #expect(late?.cause == .timedOut)
                try await fixture.terminate(connection)
                let dead = await failure { () throws(DriverError) in
                    try await connection.reset(policy, deadline: .soon)
                }
                #expect(dead?.provesLoss == true)
                #expect(connection.transactionStatus == .unusable)
                await connection.close(deadline: .soon)
            }
        }
    }
}
