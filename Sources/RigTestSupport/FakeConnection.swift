package import ConnectionPool
import RigModel
package import Threading

/// A connection of ``FakeDriver``. Two calls at once, or a call after the close, are violations in the driver's books.
package final class FakeConnection: DriverConnection {
    private struct State: Sendable {
        var status = TransactionStatus.idle
        var isAlive = true
        var isClosed = false
        var isInCall = false
        /// The sleep of a call that hangs.
        var sleep: Int?
        var statements: [SQLStatement] = []
    }

    /// The number of its connect, from 1.
    package let number: Int
    private let runtime: ManualRuntime
    private let driver: FakeDriver
    private let state = Lock(State())

    init(number: Int, driver: FakeDriver) {
        self.number = number
        self.driver = driver
        runtime = driver.runtime
    }

    deinit {
        let number = number
        driver.books.change { books in
            if books.open.remove(number) != nil { books.abandoned += 1 }
        }
    }

    package var backendPID: Int? { 1_000 + number }

    package var transactionStatus: TransactionStatus { state.withLock { $0.status } }

    package func looksAlive() -> Bool { state.withLock { $0.isAlive && $0.status != .unusable } }

    package func execute(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult {
        if Task.isCancelled { throw DriverError(.cancelled, "cancelled before it was sent", requestSent: false) }
        begin(statement)
        do throws(DriverError) {
            let result = try await answer(statement, deadline: deadline)
            end { state in
                switch statement.role {
                case .begin: state.status = .inTransaction
                case .commit, .rollback: state.status = .idle
                case .read, .write: break
                }
            }
            return result
        } catch {
            end { state in
                switch error.cause {
                case .server: if state.status == .inTransaction { state.status = .failedTransaction }
                default: state.status = .unusable
                }
            }
            throw error
        }
    }

    package func check(deadline: MonotonicInstant) async throws(DriverError) {
        _ = try await execute(SQLStatement("check", role: .read), deadline: deadline)
    }

    package func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        await executeInTurn(batch, atomicity: atomicity, begin: SQLStatement("BEGIN", role: .begin), deadline: deadline)
    }

    package func cancelRunningStatement(deadline: MonotonicInstant) async {}

    package func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError) {
        _ = try await execute(SQLStatement("reset", role: .rollback), deadline: deadline)
    }

    package func close(deadline: MonotonicInstant) async {
        begin(SQLStatement("close", role: .read))
        if case .hang = driver.answer(self, SQLStatement("close", role: .read)) { _ = await hang(until: deadline) }
        end { $0.isClosed = true }
        let number = number
        driver.books.change { books in
            books.open.remove(number)
            books.closed += 1
        }
    }

    package func abort() {
        driver.books.change { $0.aborted += 1 }
        kill()
    }

    // MARK: For tests

    /// The server closes it: a look at the socket shows it, and a running call fails.
    package func kill() {
        let sleep = state.withLock { state in
            state.isAlive = false
            defer { state.sleep = nil }
            return state.sleep
        }
        if let sleep { runtime.wake(sleep) }
    }

    package func set(_ status: TransactionStatus) { state.withLock { $0.status = status } }

    /// Every call that was made on it, in order.
    package var statements: [String] { state.withLock { $0.statements.map(\.text) } }

    // MARK: Calls

    private func begin(_ statement: SQLStatement) {
        let violation = state.withLock { state -> String? in
            defer {
                state.isInCall = true
                state.statements.append(statement)
            }
            if state.isClosed { return "\(statement.text) on connection \(number), which is closed" }
            return state.isInCall ? "\(statement.text) on connection \(number) beside another call" : nil
        }
        if let violation { driver.books.change { $0.violations.append(violation) } }
    }

    private func end(_ change: (inout State) -> Void) {
        state.withLock { state in
            state.isInCall = false
            change(&state)
        }
    }

    private func answer(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult {
        let answer = driver.answer(self, statement)
        if case .yields(let turns) = answer {
            for _ in 0..<turns { await Task.yield() }
        }
        if case .hang = answer {
            switch await hang(until: deadline) {
            case .due: throw DriverError(.timedOut, "\(statement.text) timed out")
            case .cancelled: throw DriverError(.cancelled, "\(statement.text) was cancelled")
            case .woken: throw .lost
            }
        }
        guard state.withLock({ $0.isAlive }) else { throw .lost }
        switch answer {
        case .rows(let result): return result
        case .fail(let error): throw error
        case .hang, .yields: return SQLResult()
        }
    }

    private func hang(until deadline: MonotonicInstant) async -> ManualRuntime.Wake {
        let id = runtime.newID()
        let isAlive = state.withLock { state in
            if state.isAlive { state.sleep = id }
            return state.isAlive
        }
        guard isAlive else { return .woken }
        let wake = await runtime.sleep(id, until: deadline)
        state.withLock { $0.sleep = nil }
        return wake
    }
}
