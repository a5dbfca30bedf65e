import ConnectionPool
import Orchestrator
import RigModel
import Threading
import Workloads

/// What is tried again although it must not be, and what is told although it is not so.
enum Retries {
    /// Nearly all connections are inside a transfer at each of three kills.
    private static let half = Trial.killed.with(
        "workload.mix={transfer: 80, append: 20}", "workload.statement-time=40ms", "faults.0.times=3",
        "faults.0.every=900ms")

    static let all: [Defect] = [
        Defect(
            "blind-retry", .retry, "whatever failed is tried again, also what may have been done",
            breaks: "retry-correctness", in: .lostCommits.with("pool.commit-doubt=report"), short: true
        ) {
            retrying { policy in RetryPolicy(mode: .blind, maxAttempts: policy.maxAttempts, budget: policy.budget) }
        },
        Defect(
            "retries-without-end", .retry, "the limit of attempts is not looked at", breaks: "retry-correctness",
            in: .refused
        ) {
            retrying { policy in RetryPolicy(maxAttempts: OperationID.maxAttempt, budget: policy.budget) }
        },
        Defect(
            "more-attempts-than-allowed", .retry, "one attempt more than the policy allows", breaks: "retry-policy",
            in: .refused.judging("retry-policy: {}")
        ) {
            retrying { policy in RetryPolicy(maxAttempts: policy.maxAttempts + 1, budget: policy.budget) }
        },
        Defect(
            "retry-without-pause", .retry, "a failed attempt is repeated at once, without pause and jitter",
            breaks: "retry-policy", in: .refused.judging("retry-policy: {}")
        ) {
            retrying { policy in
                RetryPolicy(maxAttempts: policy.maxAttempts, budget: policy.budget, firstDelay: .zero, delayCap: .zero)
            }
        },
        Defect(
            "retry-pause-too-long", .retry, "pauses grow past the cap", breaks: "retry-policy",
            in: .refused.judging("retry-policy: {}")
        ) {
            retrying { policy in
                RetryPolicy(
                    maxAttempts: policy.maxAttempts, budget: policy.budget, firstDelay: .milliseconds(200),
                    delayCap: .seconds(3))
            }
        },
        Defect(
            "retry-storm", .retry, "whoever is refused tries again, and again, until it is let in",
            breaks: "retry-storm", in: .refused.judging("retry-storm: {window: 2s}")
        ) {
            retrying { _ in
                RetryPolicy(
                    maxAttempts: OperationID.maxAttempt, budget: .seconds(60), firstDelay: .milliseconds(1),
                    delayCap: .milliseconds(2))
            }
        },
        Defect(
            "retry-inside-transaction", .retry,
            "a statement whose connection died is repeated on a new one, although it was in a transaction",
            breaks: "retry-correctness", in: half, driver: { Reconnecting() }),
        Defect(
            "statement-sent-twice", .retry, "a write that takes its time is sent a second time",
            breaks: "retry-correctness", in: .killed, driver: { Hedging() }),
        Defect(
            "begin-not-sent", .retry, "BEGIN is never sent: each statement commits by itself",
            breaks: "retry-correctness", in: half, driver: { NoBegin() }),
        Defect(
            "unknown-told-as-done", .retry, "a write without an answer is told as done", breaks: "retry-correctness",
            // So many in flight at each of three kills that some write is in doubt.
            in: .killed.with("workload.statement-time=60ms", "faults.0.times=3", "faults.0.every=900ms"),
            pool: { OutcomeChanged { $0 == .info ? .ok : $0 } }),
        Defect(
            "unknown-told-as-failed", .retry, "a COMMIT without an answer is told as failed for certain",
            breaks: "retry-correctness", in: .lostCommits.with("pool.commit-doubt=report"),
            pool: { OutcomeChanged { $0 == .info ? .fail : $0 } }),
        Defect(
            "failed-told-as-done", .retry, "a write that the server refused is told as done",
            breaks: "retry-correctness", in: .refused, pool: { OutcomeChanged { $0 == .fail ? .ok : $0 } }),
        Defect(
            "busy-told-as-done", .retry, "a write that found the file locked is told as done",
            breaks: "retry-correctness",
            in: .locked.with("pool.statement-timeout=200ms", "pool.acquire-timeout=300ms", "pool.retry=none"),
            pool: { OutcomeChanged { $0 == .fail ? .ok : $0 } }),
        Defect(
            "half-a-transfer", .retry, "one deposit in thirty inside a transaction is not sent, and told as done",
            breaks: "money-conserved", in: half.judging("money-conserved: {}"), driver: { WriteSkipped() }),
    ]

    static func retrying(_ change: @escaping @Sendable (RetryPolicy) -> RetryPolicy) -> PoolDecoration {
        var decoration = PoolDecoration()
        decoration.policy = change
        return decoration
    }
}

/// Repeats a statement on a new connection, as drivers with auto-reconnect do.
private struct Reconnecting: DriverDefect {
    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        do throws(DriverError) {
            return try await connection.base.execute(statement, deadline: deadline)
        } catch {
            guard error.provesLoss else { throw error }
            connection.replace(with: try await connection.driver.connect(deadline: deadline))
            return try await connection.base.execute(statement, deadline: deadline)
        }
    }

    func looksAlive(_ connection: PlantedConnection, honest: Bool) -> Bool { true }
}

/// Sends one autocommit write in fifty twice.
private struct Hedging: DriverDefect {
    private let tally = Tally()

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let isAlone = statement.role == .write && connection.base.transactionStatus == .idle
        let result = try await connection.base.execute(statement, deadline: deadline)
        return isAlone && tally.isEvery(50)
            ? try await connection.base.execute(statement, deadline: deadline) : result
    }
}

private struct NoBegin: DriverDefect {
    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        switch statement.role {
        case .begin, .commit, .rollback: SQLResult()
        case .read, .write: try await connection.base.execute(statement, deadline: deadline)
        }
    }
}

/// Tells another outcome than there was.
private struct OutcomeChanged: PoolDefect {
    private let change: @Sendable (Outcome) -> Outcome

    init(_ change: @escaping @Sendable (Outcome) -> Outcome) { self.change = change }

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        var report = await pool.use(request)
        report.outcome = change(report.outcome)
        return report
    }
}

private struct WriteSkipped: DriverDefect {
    private let tally = Tally()

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        let isInside = statement.role == .write && connection.base.transactionStatus == .inTransaction
        // Money is lost only, or what was lost and what was won might be the same in the end.
        if isInside, case .int(let amount)? = statement.parameters.first, amount > 0, tally.isEvery(30) {
            return SQLResult(affectedRows: 1)
        }
        return try await connection.base.execute(statement, deadline: deadline)
    }
}
