import ConnectionPool
import RigModel
import Testing
import Threading

@testable import PostgresDriver

@Suite("Prepared statements of a session", .timeLimit(.minutes(15)))
struct PreparedStatementTests {
    /// Texts of the statements that the server keeps for this session. Itself not prepared: a comment is in front.
    private func kept(_ connection: PostgresConnection) async throws -> [String] {
        try await connection.run(
            "/**/ select statement from pg_prepared_statements order by prepare_time, statement", role: .read
        ).rows.compactMap { $0[0].textValue }
    }

    @Test func statementIsPreparedOnceAndReused() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let before = fixture.driver.statementCacheCounts
            for value in 0..<20 {
                let result = try await connection.run("select $1::int8 + 1", [.int(Int64(value))], role: .read)
                #expect(result.rows == [[.int(Int64(value) + 1)]])
            }
            #expect(try await kept(connection) == ["select $1::int8 + 1"])
            #expect(fixture.driver.statementCacheCounts.hits - before.hits == 19)
            #expect(fixture.driver.statementCacheCounts.misses - before.misses == 1)
            await connection.close(deadline: .soon)
            #expect(fixture.driver.statementCacheCounts.hits - before.hits == 19, "counted beyond the close")
        }
    }

    @Test func oldestIsFreedOnTheServerWithALaterStatement() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.driver { $0.statementCacheSize = 2 }.connect(deadline: .soon)
            for text in ["select $1::int, 1", "select $1::int, 2", "select $1::int, 3", "select $1::int, 4"] {
                try await connection.run(text, [.int(0)], role: .read)
            }
            try await connection.check(deadline: .soon)
            #expect(try await kept(connection) == ["select $1::int, 3", "select $1::int, 4"])
            await connection.close(deadline: .soon)
        }
    }

    @Test("Nothing is freed in a transaction: a failure would spoil it")
    func freeingWaitsForTheEndOfTheTransaction() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.driver { $0.statementCacheSize = 1 }.connect(deadline: .soon)
            try await connection.run("begin", role: .begin)
            for text in ["select $1::int, 1", "select $1::int, 2"] {
                try await connection.run(text, [.int(0)], role: .read)
            }
            #expect(try await kept(connection).count == 2)
            try await connection.run("commit", role: .commit)
            try await connection.run("begin", role: .begin)
            #expect(connection.transactionStatus == .inTransaction)
            #expect(try await kept(connection) == ["select $1::int, 2"])
            try await connection.run("rollback", role: .rollback)
            await connection.close(deadline: .soon)
        }
    }

    @Test func sizeZeroKeepsNothing() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.driver { $0.statementCacheSize = 0 }.connect(deadline: .soon)
            for _ in 0..<3 { try await connection.run("select $1::int", [.int(1)], role: .read) }
            #expect(try await kept(connection).isEmpty)
            await connection.close(deadline: .soon)
        }
    }

    @Test("The server is told to forget, openly", arguments: ["discard all", "deallocate all"])
    func forgettingByAStatementIsNoticed(text: String) async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            for _ in 0..<6 {
                try await connection.run("select $1::int", [.int(1)], role: .read)
                try await connection.run(text)
                // In a transaction a lost statement could not be repeated: it must be known before.
                try await connection.run("begin", role: .begin)
                try await connection.run("select $1::int", [.int(1)], role: .read)
                try await connection.run("commit", role: .commit)
            }
            #expect(try await kept(connection) == ["select $1::int"])
            await connection.close(deadline: .soon)
        }
    }

    private static let behindOurBack = "do $$ begin execute 'deallocate all'; end $$"

    @Test func lostStatementIsPreparedAgainOutsideATransaction() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            try await connection.run("select $1::int", [.int(1)], role: .read)
            try await connection.run(Self.behindOurBack)
            #expect(try await connection.run("select $1::int", [.int(2)], role: .read).rows == [[.int(2)]])
            #expect(try await kept(connection) == ["select $1::int"])
            // In a batch, too: as a whole, and one by one.
            for atomicity in [BatchAtomicity.allOrNothing, .independent] {
                let other = try await fixture.connect()
                try await other.run("select $1::int", [.int(1)], role: .read)
                try await other.run(Self.behindOurBack)
                let results = await other.execute(
                    batch: (0..<4).map { SQLStatement("select $1::int", [.int($0)], role: .read) },
                    atomicity: atomicity, deadline: .soon)
                let rows = try results.map { try $0.get().rows }
                #expect(rows == (0..<4).map { [[.int($0)]] })
                await other.close(deadline: .soon)
            }
            await connection.close(deadline: .soon)
        }
    }

    @Test func lostStatementFailsItsTransactionOnceAndIsFineInTheNext() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            try await connection.run("select $1::int", [.int(1)], role: .read)
            try await connection.run("begin", role: .begin)
            try await connection.run(Self.behindOurBack)
            let error = await failure { () throws(DriverError) in
                try await connection.run("select $1::int", [.int(2)], role: .read)
            }
            #expect(error?.cause == .server(sqlState: "26000"))
            #expect(connection.transactionStatus == .failedTransaction)
            try await connection.run("rollback", role: .rollback)
            try await connection.run("begin", role: .begin)
            #expect(try await connection.run("select $1::int", [.int(3)], role: .read).rows == [[.int(3)]])
            try await connection.run("commit", role: .commit)
            await connection.close(deadline: .soon)
        }
    }

    @Test func changedTableIsNoticedAndTheStatementRepeated() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            try await connection.run("create temp table t (id int)")
            try await connection.run("insert into t values (7)")
            for round in 1..<5 {
                let row = try await connection.run("select * from t where id = $1", [.int(7)], role: .read).rows
                #expect(row.first?.count == round)
                try await connection.run("alter table t add column c\(round) text")
            }
            // In a transaction it cannot be repeated, but the next transaction is fine.
            try await connection.run("begin", role: .begin)
            let error = await failure { () throws(DriverError) in
                try await connection.run("select * from t where id = $1", [.int(7)], role: .read)
            }
            #expect(error?.cause == .server(sqlState: "0A000"))
            try await connection.run("rollback", role: .rollback)
            let row = try await connection.run("select * from t where id = $1", [.int(7)], role: .read).rows
            #expect(row.first?.count == 5)
            #expect(try await kept(connection) == ["select * from t where id = $1"], "old forms are freed")
            await connection.close(deadline: .soon)
        }
    }

    @Test func errorInThePreparationIsTheStatementsErrorAndLeavesNothing() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            for _ in 0..<2 {
                let error = await failure { () throws(DriverError) in
                    try await connection.run("select $1::int + nonsense", [.int(1)], role: .read)
                }
                #expect(error?.cause == .server(sqlState: "42703"))
                #expect(connection.transactionStatus == .idle)
            }
            #expect(try await kept(connection).isEmpty)
            let late = await failure { () throws(DriverError) in
                try await connection.run("select 1 / $1::int", [.int(0)], role: .read)
            }
            #expect(late?.cause == .server(sqlState: "22012"))
            #expect(try await connection.run("select 1 / $1::int", [.int(1)], role: .read).rows == [[.int(1)]])
            #expect(try await kept(connection) == ["select 1 / $1::int"])
            await connection.close(deadline: .soon)
        }
    }
}
