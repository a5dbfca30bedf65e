import ConnectionPool
import RigModel
import Testing
import Threading

@testable import PostgresDriver

@Suite(.timeLimit(.minutes(15)))
struct StatementTests {
    @Test func valuesComeInTheirTypes() async throws {
        try await withPostgres { fixture in
            let result = try await fixture.observer.run(
                """
                select true, false, 7::int2, -8::int4, 9223372036854775807::int8, 1.5::float4, 'NaN'::float8,
                  '-Infinity'::float8, 12.50::numeric, 'naïve ☂'::text, null::int, '2024-02-29'::date
                """, role: .read)
            let row = try #require(result.rows.first)
            #expect(Array(row[0...5]) == [.bool(true), .bool(false), .int(7), .int(-8), .int(.max), .double(1.5)])
            #expect("\(row[6])" == "double(nan)")
            #expect(
                Array(row[7...]) == [
                    .double(-.infinity), .text("12.50"), .text("naïve ☂"), .null, .text("2024-02-29"),
                ])
            #expect(result.affectedRows == 0, "a SELECT changes nothing")
        }
    }

    @Test func parametersArriveAsTheyWereGiven() async throws {
        try await withPostgres { fixture in
            let values: [SQLValue] = [.bool(true), .int(.min), .double(0.1), .text("o'hara \\ \"x\" ☂\n"), .null]
            let result = try await fixture.observer.run(
                "select $1::bool, $2::int8, $3::float8, $4::text, $5::text", values, role: .read)
            #expect(result.rows == [values])
        }
    }

    @Test func changesAreCounted() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.run("create temp table t (id int primary key, v text)")
            let inserted = try await connection.run("insert into t select g, 'x' from generate_series(1, 30) g")
            #expect(inserted == SQLResult(affectedRows: 30))
            let updated = try await connection.run("update t set v = $1 where id <= 7 returning id", [.text("y")])
            #expect(updated.affectedRows == 7)
            #expect(updated.rows.count == 7)
            #expect(try await connection.run("delete from t where id = 31").affectedRows == 0)
        }
    }

    @Test func errorOfAStatementLeavesTheConnectionUsable() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.run("create temp table t (id int primary key)")
            try await connection.run("insert into t values (1)")
            for (text, state) in [
                ("insert into t values (1)", "23505"), ("selekt", "42601"), ("select 1/0", "22012"),
                ("select 1; select 2", "42601"),
            ] {
                let error = await failure { () throws(DriverError) in try await connection.run(text) }
                #expect(error?.cause == .server(sqlState: state))
                #expect(error?.provesLoss == false)
                #expect(connection.transactionStatus == .idle)
                try await connection.check(deadline: .soon)
            }
        }
    }

    @Test func transactionStatusFollowsTheServer() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.run("begin", role: .begin)
            #expect(connection.transactionStatus == .inTransaction)
            _ = await failure { () throws(DriverError) in try await connection.run("select 1/0") }
            #expect(connection.transactionStatus == .failedTransaction)
            try await connection.check(deadline: .soon)
            try await connection.reset(.rollback, deadline: .soon)
            #expect(connection.transactionStatus == .idle)
            try await connection.run("begin", role: .begin)
            try await connection.reset(.rollback, deadline: .soon)
            #expect(connection.transactionStatus == .idle)
            try await connection.reset(.rollback, deadline: .soon)
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func commitOfAFailedTransactionIsACertainFailure() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.run("create temp table t (id int)")
            try await connection.run("begin", role: .begin)
            try await connection.run("insert into t values (1)")
            _ = await failure { () throws(DriverError) in try await connection.run("select 1/0") }
            let error = await failure { () throws(DriverError) in
                try await connection.execute(.commit, deadline: .soon)
            }
            #expect(error?.cause == .server(sqlState: "25P02"))
            #expect(error?.message.contains("nothing was written") == true)
            #expect(connection.transactionStatus == .idle)
            #expect(try await connection.run("select count(*) from t", role: .read).rows == [[.int(0)]])
        }
    }

    @Test func deferredConstraintFailsAtCommit() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            try await connection.run("create temp table t (id int unique deferrable initially deferred)")
            try await connection.run("begin", role: .begin)
            try await connection.run("insert into t values (1), (1)")
            let error = await failure { () throws(DriverError) in
                try await connection.execute(.commit, deadline: .soon)
            }
            #expect(error?.cause == .server(sqlState: "23505"))
        }
    }

    @Test("Megabytes in both directions at once: the request is flushed while the answer is read")
    func bigRequestAndBigAnswerPass() async throws {
        try await withPostgres { fixture in
            let big = String(repeating: "☂x", count: 3_000_000)  // 12 MB
            let result = try await fixture.observer.run("select $1::text, md5($1::text)", [.text(big)], role: .read)
            #expect(result.rows.first?.first == .text(big))
            let rows = try await fixture.observer.run("select g from generate_series(1, 100000) g", role: .read).rows
            #expect(rows.count == 100_000)
            #expect(rows.last == [.int(100_000)])
        }
    }

    @Test func serversOwnTimeoutIsAServerError() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.driver { $0.serverStatementTimeout = .milliseconds(20) }
                .connect(deadline: .soon)
            let error = await failure { () throws(DriverError) in try await connection.run("select pg_sleep(60)") }
            #expect(error?.cause == .server(sqlState: "57014"))
            // The limit holds for the check, too, which may take longer than that on a busy machine.
            let patience = MonotonicInstant.soon
            var checked: DriverError?
            repeat {
                checked = await failure { () throws(DriverError) in try await connection.check(deadline: .soon) }
            } while checked?.cause == .server(sqlState: "57014") && .now < patience
            #expect(checked?.cause == nil)
            await connection.close(deadline: .soon)
        }
    }

    @Test func statementForTheWrongSideIsNotSent() async throws {
        try await withPostgres { fixture in
            let connection = fixture.observer
            let late = await failure { () throws(DriverError) in
                try await connection.execute(SQLStatement("select 1", role: .read), deadline: .now)
            }
            #expect(late?.cause == .timedOut)
            #expect(late?.requestSent == false)
            let cancelled = await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await failure { () throws(DriverError) in try await connection.run("select 1") }
            }.value
            #expect(cancelled?.cause == .cancelled)
            #expect(cancelled?.requestSent == false)
            let broken = await failure { () throws(DriverError) in try await connection.run("select $1", [.text("\0")])
            }
            #expect(broken?.requestSent == false)
            try await connection.check(deadline: .soon)
        }
    }

    @Test func notificationsAndNoticesDoNotDisturb() async throws {
        try await withPostgres { fixture in
            let listener = try await fixture.connect()
            let channel = "channel_\(listener.backendPID ?? 0)"
            try await listener.run("listen \(channel)")
            for _ in 0..<20 {
                // Sent to the listener while it is idle.
                try await fixture.observer.run("notify \(channel), 'news'")
                #expect(listener.looksAlive())
            }
            try await listener.run("do $$ begin raise warning 'careful' using errcode = '01000'; end $$")
            #expect(try await listener.run("select 1", role: .read).rows == [[.int(1)]])
            #expect(listener.looksAlive())
            await listener.close(deadline: .soon)
        }
    }

    @Test func copyIsRefusedAndTheConnectionIsDiscarded() async throws {
        try await withPostgres { fixture in
            for text in ["copy (select 1) to stdout", "copy pg_class from stdin"] {
                let connection = try await fixture.connect()
                let error = await failure { () throws(DriverError) in try await connection.run(text) }
                #expect(error?.cause == .protocolViolation)
                #expect(connection.transactionStatus == .unusable)
                await connection.close(deadline: .soon)
            }
        }
    }
}
