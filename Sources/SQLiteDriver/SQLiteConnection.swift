package import ConnectionPool
import RigModel
package import Threading

/// One open SQLite database on a thread of its own.
///
/// After a timeout or a cancellation SQLite itself stays in step, so the connection remains usable:
/// ``transactionStatus`` is what SQLite reports. A write that is interrupted inside a transaction rolls the whole
/// transaction back (SQLite's rule), and the status is then `idle`.
package final class SQLiteConnection: DriverConnection {
    private let thread: SQLiteThread

    init(thread: SQLiteThread) { self.thread = thread }

    // Somebody lost the connection without closing it. The file and the thread must not be lost with it.
    deinit { thread.beginStop() }

    package var backendPID: Int? { nil }

    package var transactionStatus: TransactionStatus { thread.transactionStatus }

    /// `true` until it is aborted or closed: there is no server that could go away.
    package func looksAlive() -> Bool { !thread.isAborted }

    /// Runs one statement.
    ///
    /// The deadline interrupts a running statement within about 1000 instructions of SQLite's virtual machine, and a
    /// wait for a lock within the precision of a sleep; a cancellation ends a wait for a lock within 10 ms.
    ///
    /// - Throws: `.busy` when somebody else held the lock up to the busy limit or the deadline; `.timedOut` when the
    ///   statement itself ran up to the deadline; `.cancelled`; `.embedded` with SQLite's code for everything else, also
    ///   `SQLITE_INTERRUPT` after ``abort()``. None of these leaves an autocommit statement applied.
    package func execute(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult {
        try await thread.call(deadline: deadline) { handle throws(DriverError) in try handle.run(statement) }
    }

    package func check(deadline: MonotonicInstant) async throws(DriverError) {
        _ = try await execute(SQLStatement("SELECT 1", role: .read), deadline: deadline)
    }

    package func execute(
        batch: [SQLStatement], atomicity: BatchAtomicity, deadline: MonotonicInstant
    ) async -> [Result<SQLResult, DriverError>] {
        await executeInTurn(
            batch, atomicity: atomicity, begin: SQLStatement("BEGIN IMMEDIATE", role: .begin), deadline: deadline)
    }

    package func cancelRunningStatement(deadline: MonotonicInstant) async {}

    package func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError) {
        _ = try await execute(.rollback, deadline: deadline)
    }

    package func close(deadline: MonotonicInstant) async {
        thread.beginStop()
        await thread.waitUntilStopped(deadline: deadline)
    }

    package func abort() { thread.abort() }
}
