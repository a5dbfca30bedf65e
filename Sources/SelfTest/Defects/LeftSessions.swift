import ConnectionPool
import Threading
import Workloads

/// Sessions that outlive what they were opened for.
enum LeftSessions {
    static let all: [Defect] = [
        Defect(
            "session-left-when-retired", .leftBehind,
            "a connection that is retired for its age is forgotten instead of closed",
            breaks: "zero-leaked-connections", by: "that the pool does not count", in: .aging, short: true,
            driver: { ForgetfulClose() }),
        Defect(
            "session-left-by-connect", .leftBehind,
            "after a loss each connect opens two sessions and uses one, as when a timeout and an answer cross",
            breaks: "zero-leaked-connections", by: "that the pool does not count", in: .killed,
            driver: { SpareSession() }),
        Defect(
            "session-left-by-check", .leftBehind,
            "a connection that fails its check is replaced, and its session stays",
            breaks: "zero-leaked-connections", by: "that the pool does not count", in: .frozenChecked,
            driver: { ForgottenAfterCheck() }),
        Defect(
            "close-leaves-sessions", .leftBehind, "the pool's close returns at once and closes nothing",
            breaks: "zero-leaked-connections", by: "left after the pool was closed", in: .killed,
            pool: { CloseIsEmpty() }),
        Defect(
            "close-leaves-sqlite-open", .leftBehind, "the pool's close leaves the database file open",
            breaks: "zero-leaked-connections", in: .locked, pool: { CloseIsEmpty() }),
    ]
}

/// Keeps alive what nobody has closed: a driver's object would close its socket when it goes.
private final class Graveyard: Sendable {
    private let kept = Memory<[any DriverConnection]>([])

    func keep(_ connection: any DriverConnection) { kept.withLock { $0.append(connection) } }
}

/// Says that it has closed the connection.
private struct ForgetfulClose: DriverDefect {
    private let graveyard = Graveyard()

    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async { graveyard.keep(connection.base) }
}

/// Leaves the sessions of those that have failed their check, three at the most. The pool's own end is honest: what is left must
/// show before it.
private struct ForgottenAfterCheck: DriverDefect {
    private let graveyard = Graveyard()
    private let left = Tally()

    func check(_ connection: PlantedConnection, deadline: MonotonicInstant) async throws(DriverError) {
        do throws(DriverError) { try await connection.base.check(deadline: deadline) } catch {
            connection.isMarked.withLock { $0 = true }
            throw error
        }
    }

    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async {
        if connection.isMarked.withLock({ $0 }), left.isWithin(3) {
            let (driver, graveyard) = (connection.driver, graveyard)
            // The driver sees to it that the server ends what was given up, so another session stands for the one that stays. The
            // server may still stand still.
            Task {
                for _ in 1...10 {
                    let limit = MonotonicInstant.now.advanced(by: .seconds(1))
                    if let session = try? await driver.connect(deadline: limit) { return graveyard.keep(session) }
                }
            }
        }
        await connection.base.close(deadline: deadline)
    }
}

/// Two sessions for each connection that replaces a lost one.
private struct SpareSession: DriverDefect {
    private let graveyard = Graveyard()
    private let hasLost = Memory(false)

    func connect(
        by driver: any Driver, deadline: MonotonicInstant
    ) async throws(DriverError) -> any DriverConnection {
        if hasLost.withLock({ $0 }) { graveyard.keep(try await driver.connect(deadline: deadline)) }
        return try await driver.connect(deadline: deadline)
    }

    func close(_ connection: PlantedConnection, deadline: MonotonicInstant) async {
        hasLost.withLock { $0 = true }
        await connection.base.close(deadline: deadline)
    }
}

private struct CloseIsEmpty: PoolDefect {
    func close(_ pool: any PoolUnderTest) async -> Int { 0 }
}
