import ConnectionPool
import Orchestrator
import RigModel
import Threading

/// A COMMIT without an answer, and a question about it that nobody can answer.
enum Doubts {
    static let all: [Defect] = [
        Defect(
            "asks-about-another-transaction", .retry,
            "one answer to COMMIT in thirty is lost, and the server is asked about a number that it has not given yet",
            breaks: "commit-doubts", by: "stayed in doubt", in: .lostCommits.judging("commit-doubts: {}"),
            driver: { WrongNumberAsked() })
    ]
}

/// Loses answers by itself, since while a fault is active the server may be unable to say.
private struct WrongNumberAsked: DriverDefect {
    private let commits = Tally()

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        if statement.text.contains("pg_xact_status"), case .text(let number)? = statement.parameters.first {
            var other = statement
            other.parameters = [.text("\((UInt64(number) ?? 0) + 1_000_000)")]
            return try await connection.base.execute(other, deadline: deadline)
        }
        let result = try await connection.base.execute(statement, deadline: deadline)
        if statement.role == .commit, commits.isEvery(30) {
            throw DriverError(.connectionLost, "planted: the answer to COMMIT is lost")
        }
        return result
    }
}
