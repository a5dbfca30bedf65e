import ConnectionPool
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import PostgresDriver

@Suite("Batches in one round trip", .timeLimit(.minutes(15)))
struct BatchTests {
    private func insert(_ id: Int) -> SQLStatement {
        SQLStatement("insert into t values ($1)", [.int(Int64(id))], role: .write)
    }

    /// A connection with a table `t` of unique numbers that holds 100.
    private func withTable(_ body: (PostgresConnection, PostgresFixture) async throws -> Void) async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            try await connection.run("create temp table t (id int primary key)")
            try await connection.run("insert into t values (100)")
            try await body(connection, fixture)
            await connection.close(deadline: .soon)
        }
    }

    private func ids(_ connection: PostgresConnection) async throws -> [Int64] {
        try await connection.run("select id from t order by id", role: .read).rows.compactMap { $0[0].intValue }
    }

    private func expectIDs(_ expected: [Int64], _ connection: PostgresConnection) async throws {
        #expect(try await ids(connection) == expected)
    }

    private func causes(_ results: [Result<SQLResult, DriverError>]) -> [String?] {
        results.map { if case .failure(let error) = $0 { error.cause.code ?? error.cause.name } else { nil } }
    }

    @Test("A batch that a waiting server is slow to take outlives the kernel's limit on unacknowledged data")
    func heldUpServer() async throws {
        try await withPostgres { fixture in
            let table = "held_up_\(fixture.observer.backendPID ?? 0)"
            try await fixture.observer.run("create table \(table) (t text)")
            let url = try await TestPostgres.shared().url + "?tcp_user_timeout=500"
            let driver = PostgresDriver(configuration: try PostgresConfiguration(url: url), loop: fixture.loop)
            let connection = try await driver.connect(deadline: .soon)
            try await fixture.observer.run("begin", role: .begin)
            try await fixture.observer.run("lock table \(table) in access exclusive mode")
            // More than all buffers on the way.
            let text = SQLValue.text(String(repeating: "x", count: 100_000))
            let insert = SQLStatement("insert into \(table) values ($1)", [text], role: .write)
            let batch = Task {
                await connection.execute(
                    batch: Array(repeating: insert, count: 300), atomicity: .allOrNothing, deadline: .soon)
            }
            // Six times the limit.
            try await fixture.observer.run("select pg_sleep(3)")
            try await fixture.observer.run("commit", role: .commit)
            #expect(await causes(batch.value) == Array(repeating: nil, count: 300))
            try await fixture.observer.run("drop table \(table)")
            await connection.close(deadline: .soon)
        }
    }

    @Test func eachStatementHasItsRows() async throws {
        try await withTable { connection, _ in
            for atomicity in [BatchAtomicity.allOrNothing, .independent] {
                let results = await connection.execute(
                    batch: [
                        SQLStatement("select $1::int", [.int(1)], role: .read), SQLStatement("select 2", role: .read),
                        SQLStatement("update t set id = id where id = $1", [.int(100)], role: .write),
                        SQLStatement("", role: .read), SQLStatement("select $1::int", [.int(5)], role: .read),
                    ], atomicity: atomicity, deadline: .soon)
                let all = try results.map { try $0.get() }
                #expect(
                    all == [
                        SQLResult(rows: [[.int(1)]]), SQLResult(rows: [[.int(2)]]), SQLResult(affectedRows: 1),
                        SQLResult(), SQLResult(rows: [[.int(5)]]),
                    ])
                #expect(connection.transactionStatus == .idle)
            }
            #expect(await connection.execute(batch: [], atomicity: .independent, deadline: .soon).isEmpty)
        }
    }

    @Test func allOrNothingUndoesTheOthers() async throws {
        try await withTable { connection, _ in
            let results = await connection.execute(
                batch: [insert(1), insert(2), insert(100), insert(3)], atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(results) == ["25P02", "25P02", "23505", "25P02"])
            guard case .failure(let last) = results[3] else { return }
            #expect(!last.requestSent)
            try await expectIDs([100], connection)
        }
    }

    @Test func independentKeepsTheOthers() async throws {
        try await withTable { connection, _ in
            let results = await connection.execute(
                batch: [
                    insert(1), insert(100), SQLStatement("selekt $1", [.int(1)], role: .read), insert(2),
                    SQLStatement("selekt $1", [.int(1)], role: .read),
                ],
                atomicity: .independent, deadline: .soon)
            #expect(causes(results) == [nil, "23505", "42601", nil, "42601"])
            try await expectIDs([1, 2, 100], connection)
            #expect(connection.transactionStatus == .idle)
        }
    }

    @Test func batchInAnOpenTransactionIsAPartOfIt() async throws {
        try await withTable { connection, _ in
            try await connection.run("begin", role: .begin)
            let good = await connection.execute(
                batch: [insert(1), insert(2)], atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(good) == [nil, nil])
            #expect(connection.transactionStatus == .inTransaction)
            let bad = await connection.execute(
                batch: [insert(3), insert(100), insert(4)], atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(bad) == ["25P02", "23505", "25P02"])
            #expect(connection.transactionStatus == .failedTransaction)
            try await connection.run("rollback", role: .rollback)
            try await expectIDs([100], connection)
        }
    }

    @Test func wholeTransactionCanTravelAtOnce() async throws {
        try await withTable { connection, _ in
            let begin = SQLStatement("begin", role: .begin)
            let results = await connection.execute(
                batch: [begin, insert(1), .commit], atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(results) == [nil, nil, nil])
            #expect(connection.transactionStatus == .idle)
            try await expectIDs([1, 100], connection)
        }
    }

    @Test func constraintThatIsCheckedAtTheCommitFailsTheBatch() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            try await connection.run("create temp table t (id int unique deferrable initially deferred)")
            let whole = await connection.execute(
                batch: [insert(1), insert(1)], atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(whole) == ["25P02", "23505"])
            try await expectIDs([], connection)
            let single = await connection.execute(
                batch: [insert(1), insert(1), insert(2)], atomicity: .independent, deadline: .soon)
            #expect(causes(single) == [nil, "23505", nil])
            try await expectIDs([1, 2], connection)
            try await connection.check(deadline: .soon)
            await connection.close(deadline: .soon)
        }
    }

    @Test func textThatCannotBeSentStopsAWholeBatchBeforeItsFirstByte() async throws {
        try await withTable { connection, _ in
            let broken = SQLStatement("select $1", [.text("\0")], role: .read)
            let whole = await connection.execute(
                batch: [insert(1), broken, insert(2)], atomicity: .allOrNothing, deadline: .soon)
            #expect(causes(whole) == ["25P02", "22021", "25P02"])
            #expect(whole.allSatisfy { if case .failure(let error) = $0 { !error.requestSent } else { false } })
            try await expectIDs([100], connection)
            let single = await connection.execute(
                batch: [insert(1), broken, insert(2)], atomicity: .independent, deadline: .soon)
            #expect(causes(single) == [nil, "22021", nil])
            try await expectIDs([1, 2, 100], connection)
        }
    }

    @Test("Thousands of big statements with big answers: neither side waits for the other for ever")
    func bigBatchInBothDirectionsPasses() async throws {
        try await withTable { connection, _ in
            let text = String(repeating: "xyz☂", count: 1000)  // 6 kB, there and back: 18 MB each way
            for atomicity in [BatchAtomicity.allOrNothing, .independent] {
                let results = await connection.execute(
                    batch: (0..<3000).map { SQLStatement("select $1::text, \($0 % 7)", [.text(text)], role: .read) },
                    atomicity: atomicity, deadline: .soon)
                #expect(results.count == 3000)
                for (item, result) in results.enumerated() {
                    guard try result.get().rows == [[.text(text), .int(Int64(item % 7))]] else {
                        Issue.record("item \(item) has another answer")
                        return
                    }
                }
            }
        }
    }

    @Test func lossInTheMiddleKeepsWhatWasAnswered() async throws {
        try await withPostgres { fixture in
            let victim = try await fixture.connect()
            let name = "batch_\(victim.backendPID ?? 0)"
            try await fixture.observer.run("create table \(name) (id int)")
            let insert = SQLStatement("insert into \(name) values (1)", role: .write)
            async let results = victim.execute(
                batch: [insert, insert, SQLStatement("select pg_sleep(60)", role: .read), insert],
                atomicity: .independent, deadline: .soon)
            try await fixture.untilAsleep(victim)
            try await fixture.terminate(victim)
            #expect(causes(await results) == [nil, nil, "57P01", "57P01"])
            #expect(victim.transactionStatus == .unusable)
            #expect(try await fixture.observer.run("select count(*) from \(name)", role: .read).rows == [[.int(2)]])
            try await fixture.observer.run("drop table \(name)")
            await victim.close(deadline: .soon)
        }
    }

    @Test func lossOfAWholeBatchLeavesAllOfItInDoubt() async throws {
        try await withPostgres { fixture in
            let victim = try await fixture.connect()
            async let results = victim.execute(
                batch: [SQLStatement("select 1", role: .read), SQLStatement("select pg_sleep(60)", role: .read)],
                atomicity: .allOrNothing, deadline: .soon)
            try await fixture.untilAsleep(victim)
            try await fixture.terminate(victim)
            let seen = await results
            #expect(causes(seen) == ["57P01", "57P01"])
            #expect(seen.allSatisfy { if case .failure(let error) = $0 { error.requestSent } else { false } })
            let again = await victim.execute(
                batch: [SQLStatement("select 1", role: .read)], atomicity: .independent, deadline: .soon)
            #expect(again.allSatisfy { if case .failure(let error) = $0 { !error.requestSent } else { false } })
            await victim.close(deadline: .soon)
        }
    }

    @Test func deadlineKeepsWhatWasAnsweredAndMakesTheConnectionUnusable() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let (results, deadline) = await withGrowingPatience(milliseconds: 200) { deadline in
                await connection.execute(
                    batch: [SQLStatement("select 1", role: .read), SQLStatement("select pg_sleep(60)", role: .read)],
                    atomicity: .independent, deadline: deadline)
            } hasBegun: { results in
                results.contains { if case .failure(let error) = $0 { error.requestSent } else { true } }
            }
            #expect(.now >= deadline)
            #expect(causes(results).last == "timed-out")
            #expect(connection.transactionStatus == .unusable)
            await connection.close(deadline: .soon)
        }
    }

    @Test func cancelledOrLateBatchIsNotSent() async throws {
        try await withTable { connection, _ in
            let late = await connection.execute(batch: [insert(1)], atomicity: .independent, deadline: .now)
            #expect(causes(late) == ["timed-out"])
            let cancelled = await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await connection.execute(batch: [insert(1)], atomicity: .independent, deadline: .soon)
            }.value
            #expect(causes(cancelled) == ["cancelled"])
            try await expectIDs([100], connection)
        }
    }

    @Test func smallCacheDoesNotDisturbABatchOfManyTexts() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.driver { $0.statementCacheSize = 2 }.connect(deadline: .soon)
            for atomicity in [BatchAtomicity.allOrNothing, .independent] {
                let results = await connection.execute(
                    batch: (0..<40).map { SQLStatement("select $1::int, \($0 % 5)", [.int(1)], role: .read) },
                    atomicity: atomicity, deadline: .soon)
                #expect(causes(results).allSatisfy { $0 == nil })
            }
            try await connection.check(deadline: .soon)
            await connection.close(deadline: .soon)
        }
    }
}
