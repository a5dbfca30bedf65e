package import ConnectionPool
import RigModel
package import Threading

/// One open SQLite database. Its calls run on the threads of its group, inline where the caller is on one already.
///
/// After a timeout or a cancellation SQLite itself stays in step, so the connection remains usable:
/// ``transactionStatus`` is what SQLite reports. A write that is interrupted inside a transaction rolls the whole
/// transaction back (SQLite's rule), and the status is then `idle`.
///
/// After `SQLITE_CORRUPT` and `SQLITE_NOTADB`, and when its file was moved or replaced, it is `unusable`: it would go on failing
/// with the file well again, or go on with a file that nobody else sees.
package final class SQLiteConnection: DriverConnection {
    let session: SQLiteSession

    init(session: SQLiteSession) { self.session = session }

    // Somebody lost the connection without closing it. The file must not be lost with it.
    deinit { session.beginStop() }

    package var backendPID: Int? { nil }

    package var transactionStatus: TransactionStatus { session.transactionStatus }

    /// `true` until it is aborted or closed: there is no server that could go away.
    package func looksAlive() -> Bool { !session.isAborted }

    /// Runs one statement. It stays prepared for the next time.
    ///
    /// The deadline interrupts a running statement within about 1000 instructions of SQLite's virtual machine, within some
    /// milliseconds where a single instruction takes long (counting a large table), and a wait for a lock within the
    /// precision of a sleep. So does a cancellation; only a statement that took under a millisecond the last time
    /// is not looked after inside such a long instruction.
    ///
    /// - Throws: `.busy` when somebody else held the lock up to the busy limit or the deadline, or at once where waiting is
    ///   in vain; `.timedOut` when the statement itself ran up to the deadline; `.cancelled`; `.embedded` with SQLite's code
    ///   for everything else, also `SQLITE_INTERRUPT` after ``abort()`` and ``cancelRunningStatement(deadline:)``. None of
    ///   these leaves an autocommit statement applied.
    package func execute(_ statement: SQLStatement, deadline: MonotonicInstant) async throws(DriverError) -> SQLResult {
        try await session.execute(statement, deadline: deadline)
    }

    /// Also looks whether the name of the file still leads to it: else `SQLITE_READONLY_DBMOVED`.
    package func check(deadline: MonotonicInstant) async throws(DriverError) {
        try await session.call(deadline: deadline) { handle throws(DriverError) in try handle.check() }
    }

    /// Interrupts the running call, or its wait for a lock. Its own caller gets `SQLITE_INTERRUPT`.
    package func cancelRunningStatement(deadline: MonotonicInstant) async { session.interrupt() }

    package func close(deadline: MonotonicInstant) async {
        session.beginStop()
        await session.waitUntilStopped(deadline: deadline)
    }

    package func abort() { session.abort() }
}
