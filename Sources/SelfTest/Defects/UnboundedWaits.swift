import ConnectionPool
import Orchestrator
import RigModel
import Threading
import Workloads

/// Waits without a limit, or with another one than was asked for.
enum UnboundedWaits {
    static let all: [Defect] = [
        Defect(
            "acquire-unbounded", .unbounded, "the acquire timeout does not count while no connection can be opened",
            breaks: "timeouts", in: .frozen, short: true
        ) {
            var decoration = PoolDecoration()
            decoration.configuration = { limits in
                var limits = limits
                limits.acquireTimeout = .seconds(60)
                return limits
            }
            return decoration
        },
        Defect(
            "statement-unbounded", .unbounded, "a statement on a silent connection has no limit", breaks: "timeouts",
            in: .frozen, driver: { StatementWithoutLimit() }),
        Defect(
            "release-unbounded", .unbounded, "giving a connection back waits for its reset, however long that takes",
            breaks: "timeouts", in: .killed, pool: { SlowRelease() }),
        Defect(
            "close-unbounded", .unbounded, "the pool's close waits on although its limit has passed",
            breaks: "timeouts",
            in: .killed, pool: { SlowClose() }),
        Defect(
            "acquire-with-failing-check-unbounded", .unbounded,
            "an acquire whose connections fail their checks tries again for ever", breaks: "timeouts", in: .frozen,
            pool: { AcquireTriesAgain() }),
        Defect(
            "wakeup-lost", .unbounded, "the answer to an acquire that failed is lost: its client waits for ever",
            breaks: "timeouts", in: .restarted, pool: { LostWakeup() }),
        Defect(
            "start-up-race", .unbounded,
            "two clients that come before the first connection is open wait for each other for ever",
            breaks: "timeouts", in: .killed.with("pool.min-idle=0"), pool: { StartUpRace() }),
    ]
}

private struct StatementWithoutLimit: DriverDefect {
    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        try await connection.base.execute(statement, deadline: .now.advanced(by: .seconds(60)))
    }
}

private struct SlowRelease: PoolDefect {
    private static let reset = Duration.seconds(4)
    private let tally = Tally()

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        var report = await pool.use(request)
        if tally.isEvery(100) {
            await sleepWhateverHappens(Self.reset)
            report.completion.releaseNanoseconds =
                (report.completion.releaseNanoseconds ?? 0) + Self.reset.nanoseconds
        }
        return report
    }
}

private struct SlowClose: PoolDefect {
    func close(_ pool: any PoolUnderTest) async -> Int {
        let cut = await pool.close()
        await sleepWhateverHappens(.seconds(5))
        return cut
    }
}

/// The limit of an acquire begins anew each time.
private struct AcquireTriesAgain: PoolDefect {
    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        var waited: Int64 = 0
        while true {
            var report = await pool.use(request)
            let took = report.completion.acquireNanoseconds ?? 0
            report.completion.acquireNanoseconds = waited + took
            guard report.outcome == .fail, report.completion.error?.phase == .acquire, !Task.isCancelled else {
                return report
            }
            waited += took
        }
    }
}

private struct LostWakeup: PoolDefect {
    private let lost = Tally()

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        let report = await pool.use(request)
        if report.outcome == .fail, report.completion.error?.phase == .acquire, lost.isWithin(3) {
            await sleepWhateverHappens(forever)
        }
        return report
    }
}

private struct StartUpRace: PoolDefect {
    private let tally = Tally()

    func use(_ request: UseRequest, of pool: any PoolUnderTest) async -> UseReport {
        if tally.isWithin(2) { await sleepWhateverHappens(forever) }
        return await pool.use(request)
    }
}
