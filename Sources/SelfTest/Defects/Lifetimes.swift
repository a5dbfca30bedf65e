import ConnectionPool
import Orchestrator
import RigModel
import Threading
import Workloads

/// Connections that should have gone, or come, long ago.
enum Lifetimes {
    static let all: [Defect] = [
        Defect(
            "lifetime-ignored", .lifetime, "connections are never retired for their age",
            breaks: "connection-lifetime", in: .aging.judging("connection-lifetime: {tolerance: 1s}"), short: true
        ) { Bounds.limited { $0.maxLifetime = nil } },
        Defect(
            "lifetime-doubled", .lifetime, "the age is counted anew each time that a connection comes back",
            breaks: "connection-lifetime", in: .aging.judging("connection-lifetime: {tolerance: 1s}")
        ) { Bounds.limited { $0.maxLifetime = $0.maxLifetime.map { $0 * 4 } } },
        Defect(
            "refill-forgotten", .noRecovery, "what was lost is opened again on demand only: min-idle is not kept",
            breaks: "background-work",
            in: .killed.with("workload.rate=5/s").judging("background-work: {within: 1500ms}")
        ) { Bounds.limited { $0.minIdle = 0 } },
        Defect(
            "worker-dies-with-connection", .noRecovery,
            "the task that keeps min-idle dies with the first failed connect", breaks: "background-work",
            in: .restarted.judging("background-work: {within: 3s}")
        ) { DeadTimers.decoration() },
        Defect(
            "dead-connections-lent", .deadConnections, "nobody looks at an idle connection before it is lent",
            breaks: "no-dead-connections",
            in: .killed.with("workload.rate=5/s", "pool.retry=none", "workload.mix={append: 60, read: 40}").judging(
                "no-dead-connections: {}"),
            driver: { LooksAway() }),
        Defect(
            "read-only-connection-kept", .deadConnections,
            "a session that has once refused a write as read-only goes on so, and is lent again and again",
            breaks: "read-only-detected", in: .readOnly, driver: { StaysReadOnly() }),
        Defect(
            "first-use-after-quiet-hangs", .deadConnections,
            "the first use after a quiet time waits for the answer of a connection that is gone",
            breaks: "fresh-acquire", in: .quiet, pool: { SlowFirstUse() }),
        Defect(
            "transactions-poisoned", .noRecovery, "after a fault no transaction ever succeeds again",
            breaks: "liveness", in: .killed.judging("liveness: {within: 4s}"), pool: { PoisonedTransactions() }),
        Defect(
            "fails-fast-for-long", .noRecovery, "after one lost connection everything is refused for seconds",
            breaks: "operations-lost", in: .killed.judging("operations-lost: {}"), pool: { LongRefusal() }),
    ]
}

private struct LooksAway: DriverDefect {
    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        do throws(DriverError) {
            return try await connection.base.execute(statement, deadline: deadline)
        } catch {
            connection.isMarked.withLock { $0 = true }
            throw error
        }
    }

    func looksAlive(_ connection: PlantedConnection, honest: Bool) -> Bool { true }
    func check(_ connection: PlantedConnection, deadline: MonotonicInstant) async throws(DriverError) {}

    /// Good until a statement has failed.
    func status(of connection: PlantedConnection, honest: TransactionStatus) -> TransactionStatus {
        honest == .unusable && !connection.isMarked.withLock { $0 } ? .idle : honest
    }

    var hearsIdleConnections: Bool { false }
}

/// Goes on talking to a server that takes no writes.
private struct StaysReadOnly: DriverDefect {
    private static let refusal = FailureCause.server(sqlState: "25006")

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        if statement.role == .write, connection.isMarked.withLock({ $0 }) {
            throw DriverError(Self.refusal, "cannot execute INSERT in a read-only transaction")
        }
        do throws(DriverError) {
            return try await connection.base.execute(statement, deadline: deadline)
        } catch {
            if error.cause == Self.refusal { connection.isMarked.withLock { $0 = true } }
            throw error
        }
    }
}

private struct SlowFirstUse: PoolDefect {
    private let last = Memory(MonotonicInstant.now)

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        let quiet = last.withLock { last in
            defer { last = .now }
            return last.duration(to: .now)
        }
        if quiet > .milliseconds(500) { try? await Task.sleep(for: .seconds(3)) }
        let report = await pool.use(request)
        last.withLock { $0 = .now }
        return report
    }
}

private struct PoisonedTransactions: PoolDefect {
    private let failure = Memory<UseReport?>(nil)

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        if request.isTransaction, var report = failure.withLock({ $0 }) {
            report.outcome = .fail
            return report
        }
        let report = await pool.use(request)
        if report.hasFailed(.connectionLost) {
            var refusal = UseReport(outcome: .fail, completion: Completion(attempt: 0))
            refusal.completion.error = FailureDescription(
                phase: .acquire, failureClass: FailureCause.poolRefused.name, code: nil, message: "planted")
            let refused = refusal
            failure.withLock { $0 = refused }
        }
        return report
    }
}

private struct LongRefusal: PoolDefect {
    private let until = Memory<MonotonicInstant?>(nil)

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        if let end = until.withLock({ $0 }), MonotonicInstant.now < end {
            try? await Task.sleep(for: .milliseconds(2))
            var refusal = UseReport(outcome: .fail, completion: Completion(attempt: 0))
            refusal.completion.error = FailureDescription(
                phase: .acquire, failureClass: FailureCause.poolRefused.name, code: nil, message: "planted")
            return refusal
        }
        let report = await pool.use(request)
        if report.hasFailed(.connectionLost) {
            until.withLock { if $0 == nil { $0 = MonotonicInstant.now.advanced(by: .seconds(3)) } }
        }
        return report
    }
}
