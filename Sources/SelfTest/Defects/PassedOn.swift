import ConnectionPool
import Orchestrator
import RigModel
import Threading

/// What one borrower leaves on a connection and the next one finds.
enum PassedOn {
    private static let written = Trial.killed.with("workload.mix={append: 60, append-transaction: 30, transfer: 10}")

    static let all: [Defect] = [
        Defect(
            "transaction-left-by-commit", .passedOn,
            "each COMMIT leaves a new transaction open, and the next borrower writes into it",
            breaks: "retry-correctness", in: written, driver: { CommitAndChain() }),
        Defect(
            "commit-not-sent", .passedOn, "one COMMIT in twenty is a ROLLBACK, told as done",
            breaks: "retry-correctness", in: written, driver: { CommitIsRollback() }),
        Defect(
            "autocommit-off", .passedOn, "a statement outside a transaction opens one that nobody ends",
            breaks: "retry-correctness", in: .killed.with("workload.mix={append: 100}"), driver: { AutocommitOff() }),
        Defect(
            "settings-passed-on", .passedOn, "a connection goes to the next borrower as the last one left it",
            breaks: "clean-leases", in: .dirty, short: true
        ) {
            var decoration = PoolDecoration()
            decoration.configuration = { limits in
                var limits = limits
                limits.reset = .none
                return limits
            }
            return decoration
        },
        Defect(
            "reset-forgets-locks", .passedOn, "the reset on return does settings only: locks, channels, tables stay",
            breaks: "clean-leases", in: .dirty, driver: { HalfReset() }),
        Defect(
            "transaction-passed-on", .passedOn, "an open transaction goes to the next borrower",
            breaks: "clean-leases", in: .dirty, driver: { TransactionKept() }),
        Defect(
            "prepared-names-left", .growth, "statements that the pool prepares for itself stay on the connection",
            breaks: "clean-leases", in: .dirty, driver: { PreparedNames() }),
    ]
}

/// The pool believes that the session is idle.
private struct CommitAndChain: DriverDefect {
    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        guard statement.role == .commit else {
            connection.isMarked.withLock { $0 = statement.role == .begin || $0 && statement.role != .rollback }
            return try await connection.base.execute(statement, deadline: deadline)
        }
        connection.isMarked.withLock { $0 = false }
        return try await connection.base.execute(
            SQLStatement("COMMIT AND CHAIN", role: .commit), deadline: deadline)
    }

    func status(of connection: PlantedConnection, honest: TransactionStatus) -> TransactionStatus {
        honest == .inTransaction && !connection.isMarked.withLock { $0 } ? .idle : honest
    }
}

private struct CommitIsRollback: DriverDefect {
    private let tally = Tally()

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let isLie = statement.role == .commit && tally.isEvery(20)
        return try await connection.base.execute(isLie ? .rollback : statement, deadline: deadline)
    }
}

/// One autocommit write in thirty stands in a transaction that is rolled back when its connection ends.
private struct AutocommitOff: DriverDefect {
    private let tally = Tally()

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let isAlone = statement.role == .write && connection.base.transactionStatus == .idle
        guard isAlone, tally.isEvery(30) else {
            return try await connection.base.execute(statement, deadline: deadline)
        }
        _ = try await connection.base.execute(SQLStatement("BEGIN", role: .begin), deadline: deadline)
        let result = try await connection.base.execute(statement, deadline: deadline)
        connection.isMarked.withLock { $0 = true }
        return result
    }

    func status(of connection: PlantedConnection, honest: TransactionStatus) -> TransactionStatus {
        honest == .inTransaction && connection.isMarked.withLock { $0 } ? .idle : honest
    }
}

/// Brings settings back and nothing else.
private struct HalfReset: DriverDefect {
    func reset(
        _ connection: PlantedConnection, _ policy: ResetPolicy, deadline: MonotonicInstant
    ) async throws(DriverError) {
        if connection.base.transactionStatus != .idle {
            _ = try await connection.base.execute(.rollback, deadline: deadline)
        }
        _ = try await connection.base.execute(SQLStatement("RESET ALL", role: .write), deadline: deadline)
    }
}

private struct TransactionKept: DriverDefect {
    func reset(
        _ connection: PlantedConnection, _ policy: ResetPolicy, deadline: MonotonicInstant
    ) async throws(DriverError) {
        if connection.base.transactionStatus == .idle { try await connection.base.reset(policy, deadline: deadline) }
        connection.isMarked.withLock { $0 = connection.base.transactionStatus == .inTransaction }
    }

    func status(of connection: PlantedConnection, honest: TransactionStatus) -> TransactionStatus {
        honest == .inTransaction && connection.isMarked.withLock { $0 } ? .idle : honest
    }
}

private struct PreparedNames: DriverDefect {
    private let tally = Tally()

    func reset(
        _ connection: PlantedConnection, _ policy: ResetPolicy, deadline: MonotonicInstant
    ) async throws(DriverError) {
        try await connection.base.reset(policy, deadline: deadline)
        _ = try await connection.base.execute(
            SQLStatement("PREPARE chaosrig_kept_\(tally.next()) AS SELECT 1", role: .write), deadline: deadline)
    }
}
