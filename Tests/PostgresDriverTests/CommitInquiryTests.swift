import ConnectionPool
import RigModel
import Testing
import Threading

@testable import PostgresDriver

@Suite("What became of a commit", .timeLimit(.minutes(15)))
struct CommitInquiryTests {
    private func outcome(_ number: String, _ connection: PostgresConnection) async throws -> CommitStatus {
        PostgresCommitInquirer().read(
            try await connection.execute(PostgresCommitInquirer().status(of: number), deadline: .soon))
    }

    @Test func eachEndHasItsAnswer() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let name = "inquiry_\(connection.backendPID ?? 0)"
            try await connection.run("create table \(name) (id int)")
            for (end, expected) in [
                (SQLStatement.commit, CommitStatus.committed), (.rollback, .aborted),
            ] {
                // The number travels with the last statement: no round trip of its own.
                let results = await connection.execute(
                    batch: [
                        SQLStatement("begin", role: .begin),
                        SQLStatement("insert into \(name) values (1)", role: .write),
                        PostgresCommitInquirer().askID,
                    ], atomicity: .allOrNothing, deadline: .soon)
                let number = try #require(PostgresCommitInquirer().id(in: try results[2].get()))
                #expect(try await outcome(number, fixture.observer) == .inProgress)
                _ = try await connection.execute(end, deadline: .soon)
                #expect(try await outcome(number, fixture.observer) == expected)
            }
            try await connection.run("begin", role: .begin)
            let none = try await connection.execute(PostgresCommitInquirer().askID, deadline: .soon)
            #expect(PostgresCommitInquirer().id(in: none) == nil, "nothing was written, so there is nothing to doubt")
            try await connection.run("rollback", role: .rollback)
            try await connection.run("drop table \(name)")
            await connection.close(deadline: .soon)
        }
    }

    @Test func commitWhoseAnswerIsLostIsFoundOut() async throws {
        try await withPostgres { fixture in
            let connection = try await fixture.connect()
            let name = "inquiry_\(connection.backendPID ?? 0)"
            try await connection.run("create table \(name) (id int)")
            try await connection.run("begin", role: .begin)
            try await connection.run("insert into \(name) values (1)")
            let answer = try await connection.execute(PostgresCommitInquirer().askID, deadline: .soon)
            let number = try #require(PostgresCommitInquirer().id(in: answer))
            connection.abort()
            let error = await failure { () throws(DriverError) in
                try await connection.execute(.commit, deadline: .soon)
            }
            #expect(error?.provesLoss == true)
            await connection.close(deadline: .soon)
            var seen = CommitStatus.inProgress
            while seen == .inProgress { seen = try await outcome(number, fixture.observer) }
            let rows = try await fixture.observer.run("select count(*) from \(name)", role: .read).rows
            #expect(rows == [[.int(seen == .committed ? 1 : 0)]])
            try await fixture.observer.run("drop table \(name)")
        }
    }

    @Test func oldAndFutureNumbersAreUnknown() async throws {
        try await withPostgres { fixture in
            #expect(PostgresCommitInquirer().read(SQLResult(rows: [[.null]])) == .unknown)
            let error = await failure { () throws(DriverError) in
                try await fixture.observer.execute(PostgresCommitInquirer().status(of: "999999999999"), deadline: .soon)
            }
            #expect(error?.cause == .server(sqlState: "22023"))
        }
    }
}
