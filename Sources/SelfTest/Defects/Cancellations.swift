import ConnectionPool
import RigModel
import Threading
import Workloads

/// What goes wrong when a client is cancelled: at each await of a use, its slot may be lost.
enum Cancellations {
    private static let trial = Trial.cancelled.judging("cancellation: {limit: 2s}")

    static let all: [Defect] =
        CancelMoment.allCases.map { moment in
            Defect(
                "slot-lost-when-cancelled-in-\(moment.rawValue)", .cancellation,
                "a client that is cancelled in the moment `\(moment.rawValue)` takes its connection with it",
                breaks: "zero-leaked-connections", in: trial, short: moment == .query,
                pool: { LeaseKeeper { request, _ in request.cancelSwitch?.end()?.at == moment.rawValue } })
        }
        + [CancelMoment.queue, .query, .commit].map { moment in
            Defect(
                "sqlite-slot-lost-when-cancelled-in-\(moment.rawValue)", .cancellation,
                "the same with a file that is locked now and then", breaks: "zero-leaked-connections",
                in: .locked.with("workload.behaviour.cancel=30%"),
                pool: { LeaseKeeper { request, _ in request.cancelSwitch?.end()?.at == moment.rawValue } })
        }
        + [(SQLStatement.Role.begin, "begin"), (.write, "query"), (.commit, "commit")].map { role, word in
            Defect(
                "session-left-when-cancelled-in-\(word)", .cancellation,
                "the session of a \(word) that is cancelled is left to itself, and a new one is opened",
                breaks: "zero-leaked-connections", in: trial, driver: { CancelledLeft(role: role) })
        } + [
            Defect(
                "cancellation-swallowed", .cancellation, "a cancelled call goes on as if nothing had been said",
                breaks: "cancellation", in: trial, short: true, pool: { Deaf() }),
            Defect(
                "cancellation-late", .cancellation, "a cancelled call comes back after seconds only",
                breaks: "cancellation", in: trial, pool: { SlowToStop() }),
        ]
}

/// Forgets the connection of a statement that was cancelled.
private struct CancelledLeft: DriverDefect {
    let role: SQLStatement.Role
    private let kept = Memory<[any DriverConnection]>([])
    private let left = Tally()

    init(role: SQLStatement.Role) { self.role = role }

    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        do throws(DriverError) {
            return try await connection.base.execute(statement, deadline: deadline)
        } catch {
            if error.cause == .cancelled, statement.role == role { connection.isMarked.withLock { $0 = true } }
            throw error
        }
    }

    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async {
        // The driver sees to it that the server ends what was given up, so another session stands for the one that stays.
        if connection.isMarked.withLock({ $0 }), left.isWithin(3),
            let session = try? await connection.driver.connect(deadline: deadline)
        {
            kept.withLock { $0.append(session) }
        }
        await connection.base.close(deadline: deadline)
    }
}

/// Does each use in a task that nobody can cancel.
private struct Deaf: PoolDefect {
    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        await Task { await pool.use(request) }.value
    }
}

private struct SlowToStop: PoolDefect {
    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        let report = await pool.use(request)
        if request.cancelSwitch?.end() != nil { await sleepWhateverHappens(.seconds(5)) }
        return report
    }
}
