import ConnectionPool
import RigModel
import Threading

/// Recovery that never comes, or comes one connection at a time.
enum NoRecovery {
    static let all: [Defect] = [
        Defect(
            "dead-connections-kept", .deadConnections,
            "a loss is never believed: the dead connection goes back and is lent again", breaks: "recovery",
            in: .killed, short: true, driver: { LossDenied() }),
        Defect(
            "never-reconnects", .noRecovery, "after the first failed connect every connect fails",
            breaks: "recovery", in: .restarted, driver: { GivesUp() }),
        Defect(
            "reconnect-hangs", .noRecovery, "the first connects after a failed one never answer, and keep their places",
            breaks: "recovery", in: .restarted, driver: { HangsAfterFailure() }),
        Defect(
            "reconnects-one-at-a-time", .noRecovery,
            "what was lost comes back one connection at a time, each a second after the other", breaks: "recovery",
            in: .killed, driver: { OneAtATime() }),
        Defect(
            "close-of-lost-connection-hangs", .noRecovery,
            "closing a lost connection never ends, so its place is never free again", breaks: "recovery", in: .killed,
            driver: { LostCloseHangs() }),
        Defect(
            "refuses-after-outage", .noRecovery, "the circuit breaker opens and never closes again",
            breaks: "recovery", in: .restarted, pool: { StuckBreaker() }),
        Defect(
            "timers-stop", .noRecovery,
            "the pool's timers die with the first failed connect: it waits for ever to try again",
            breaks: "recovery", in: .restarted
        ) { DeadTimers.decoration() },
        Defect(
            "worker-stops", .noRecovery, "the task that opens connections dies: nothing is opened any more",
            breaks: "recovery", in: .killed
        ) { DeadWorker.decoration() },
    ]
}

/// Every error of a dead connection is told as one of the statement.
private struct LossDenied: DriverDefect {
    func execute(
        _ statement: SQLStatement, on connection: PlantedConnection, deadline: MonotonicInstant
    ) async throws(DriverError) -> SQLResult {
        do throws(DriverError) {
            return try await connection.base.execute(statement, deadline: deadline)
        } catch {
            guard error.provesLoss else { throw error }
            throw DriverError(.server(sqlState: "XX000"), error.message, requestSent: error.requestSent)
        }
    }

    func check(_ connection: PlantedConnection, deadline: MonotonicInstant) async throws(DriverError) {}
    func reset(
        _ connection: PlantedConnection, _ policy: ResetPolicy, deadline: MonotonicInstant
    ) async throws(DriverError) {}
    func looksAlive(_ connection: PlantedConnection, honest: Bool) -> Bool { true }
    func status(of connection: PlantedConnection, honest: TransactionStatus) -> TransactionStatus { .idle }
    var hearsIdleConnections: Bool { false }
}

private struct GivesUp: DriverDefect {
    private let hasFailed = Memory<DriverError?>(nil)

    func connect(
        by driver: any Driver, deadline: MonotonicInstant
    ) async throws(DriverError) -> any DriverConnection {
        if let error = hasFailed.withLock({ $0 }) { throw error }
        do throws(DriverError) {
            return try await driver.connect(deadline: deadline)
        } catch {
            hasFailed.withLock { $0 = error }
            throw error
        }
    }
}

private struct HangsAfterFailure: DriverDefect {
    private let hasFailed = Memory(false)
    private let hung = Tally()

    func connect(
        by driver: any Driver, deadline: MonotonicInstant
    ) async throws(DriverError) -> any DriverConnection {
        if hasFailed.withLock({ $0 }), hung.isWithin(8) {
            // Ends with the pool, which cancels its connects.
            try? await Task.sleep(for: forever)
            throw DriverError(.cancelled, "cancelled", requestSent: false)
        }
        do throws(DriverError) {
            return try await driver.connect(deadline: deadline)
        } catch {
            hasFailed.withLock { $0 = true }
            throw error
        }
    }
}

/// Connects wait for each other as soon as one connection was closed.
private struct OneAtATime: DriverDefect {
    private let next = Memory<MonotonicInstant?>(nil)

    func connect(
        by driver: any Driver, deadline: MonotonicInstant
    ) async throws(DriverError) -> any DriverConnection {
        let turn = next.withLock { next -> MonotonicInstant? in
            guard let free = next else { return nil }
            next = free.advanced(by: .seconds(1))
            return free
        }
        if let turn { try? await Task.sleep(for: MonotonicInstant.now.duration(to: turn)) }
        // The pool's own limit has passed meanwhile, which is the defect's doing.
        return try await driver.connect(deadline: MonotonicInstant.now.advanced(by: .seconds(1)))
    }

    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async {
        next.withLock { if $0 == nil { $0 = MonotonicInstant.now.advanced(by: .seconds(1)) } }
        await connection.base.close(deadline: deadline)
    }
}

private struct LostCloseHangs: DriverDefect {
    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async {
        let isLost = connection.base.transactionStatus == .unusable
        await connection.base.close(deadline: deadline)
        if isLost { await sleepWhateverHappens(forever) }
    }
}
