import ConnectionPool
import EventLoop
import Glibc
import RigModel
import RigTestSupport
import Threading

@testable import PostgresDriver

/// A driver for the shared server, and a second connection to look and act from outside.
struct PostgresFixture {
    let loop: EventLoop
    let driver: PostgresDriver
    let observer: PostgresConnection

    func connect() async throws -> PostgresConnection { try await driver.connect(deadline: .soon) }

    /// Another driver for the same server.
    func driver(_ adjust: (inout PostgresConfiguration) -> Void) -> PostgresDriver {
        var configuration = driver.configuration
        adjust(&configuration)
        return PostgresDriver(configuration: configuration, loop: loop)
    }

    /// Ends a session from outside, and returns when its process has gone.
    func terminate(_ connection: PostgresConnection) async throws {
        let pid = SQLValue.int(Int64(connection.backendPID ?? 0))
        _ = try await observer.execute(
            SQLStatement("select pg_terminate_backend($1::int, 20000)", [pid], role: .read), deadline: .soon)
    }

    /// Returns when what the server said at the end waits at the socket of an idle connection. Reads nothing of it.
    func untilFarewell(_ connection: PostgresConnection) async {
        var request = pollfd(fd: connection.session.socket, events: Int16(POLLIN), revents: 0)
        let deadline = MonotonicInstant.soon
        while poll(&request, 1, 0) < 1, .now < deadline { await Task.yield() }
    }

    /// Returns when the session of `connection` is in the middle of pg_sleep.
    func untilAsleep(_ connection: PostgresConnection) async throws {
        let pid = SQLValue.int(Int64(connection.backendPID ?? 0))
        let question = SQLStatement(
            "select count(*) from pg_stat_activity where pid = $1::int and wait_event = 'PgSleep'", [pid], role: .read)
        let deadline = MonotonicInstant.soon
        while try await observer.execute(question, deadline: deadline).rows != [[.int(1)]] {}
    }
}

/// Lends a fixture on the shared server to `body`.
func withPostgres<R>(
    url: String? = nil, _ body: (PostgresFixture) async throws -> R
) async throws -> R {
    let address: String
    if let url { address = url } else { address = try await TestPostgres.shared().url }
    await Places.shared.take()
    defer { Places.shared.giveBack() }
    let loop = try EventLoop(name: "test-postgres")
    defer { loop.shutdown() }
    let driver = PostgresDriver(configuration: try PostgresConfiguration(url: address), loop: loop)
    let observer = try await driver.connect(deadline: .soon)
    let fixture = PostgresFixture(loop: loop, driver: driver, observer: observer)
    do {
        let result = try await body(fixture)
        await observer.close(deadline: .soon)
        return result
    } catch {
        await observer.close(deadline: .soon)
        throw error
    }
}

/// Lets a few tests at a time have connections: the server has not enough for all of them.
private final class Places: Sendable {
    private struct State {
        var free = 16
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    static let shared = Places()
    private let state = Lock(State())

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiters.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    func giveBack() {
        state.withLock { state -> CheckedContinuation<Void, Never>? in
            if state.waiters.isEmpty {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }?.resume()
    }
}

extension PostgresConnection {
    /// Runs one statement within the usual bound.
    @discardableResult
    func run(
        _ text: String, _ parameters: [SQLValue] = [], role: SQLStatement.Role = .write
    ) async throws(DriverError) -> SQLResult {
        try await execute(SQLStatement(text, parameters, role: role), deadline: .soon)
    }
}

/// Runs `operation` and returns what it threw; `nil` when it succeeded.
func failure<R>(of operation: () async throws(DriverError) -> R) async -> DriverError? {
    do {
        _ = try await operation()
        return nil
    } catch {
        return error
    }
}

/// Runs `operation` with a deadline that passes once its request was sent, and returns what it threw then.
func failureAtDeadline<R>(
    milliseconds: Int, of operation: (MonotonicInstant) async throws(DriverError) -> R
) async -> (error: DriverError?, deadline: MonotonicInstant) {
    let (error, deadline) = await withGrowingPatience(milliseconds: milliseconds) { deadline in
        await failure { () throws(DriverError) in try await operation(deadline) }
    } hasBegun: {
        $0?.requestSent ?? true
    }
    return (error, deadline)
}

extension MonotonicInstant {
    /// A generous bound for something that should succeed.
    static var soon: MonotonicInstant { now.advanced(by: .seconds(600)) }
    static func inMilliseconds(_ count: Int) -> MonotonicInstant { now.advanced(by: .milliseconds(count)) }
}
