import CSQLite
package import ConnectionPool
import Glibc
import RigModel
import Threading

/// A `sqlite3 *` and its two handlers. Belongs to one thread: every call here may block on the file.
package final class SQLiteHandle {
    /// The open database; `nil` before ``open(_:)`` and after ``close()``.
    package private(set) var database: OpaquePointer?
    private let interruption: Interruption
    /// The bounds of the call that runs. The handlers ask them; without any, nothing is bounded.
    var limits: CallLimits?

    init(interruption: Interruption) { self.interruption = interruption }

    /// Without a thread of its own, for tests of this type.
    package convenience init() { self.init(interruption: Interruption()) }

    /// What SQLite says about the transaction: it also ends one by itself, for example when it interrupts a write.
    package var transactionStatus: TransactionStatus {
        guard let database else { return .unusable }
        return sqlite3_get_autocommit(database) != 0 ? .idle : .inTransaction
    }

    /// Opens the file and brings the connection into the state that the configuration asks for.
    ///
    /// - Throws: `.busy`, `.timedOut`, `.cancelled`; `.embedded` (for example `SQLITE_CANTOPEN`, `SQLITE_NOTADB`);
    ///   `.connectFailed` when the journal mode did not take effect. ``close()`` is still needed then.
    package func open(_ configuration: SQLiteConfiguration) throws(DriverError) {
        precondition(database == nil, "internal inconsistency: open() on an open handle")
        let create = configuration.createsIfMissing ? SQLITE_OPEN_CREATE : 0
        // NOMUTEX: one thread uses the handle; sqlite3_interrupt is allowed from others all the same.
        let flags = SQLITE_OPEN_READWRITE | create | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = sqlite3_open_v2(configuration.path, &database, flags, nil)
        guard let database else {
            throw DriverError(
                .embedded(code: SQLiteCode.name(of: status)), "no memory to open \(configuration.path)",
                requestSent: false)
        }
        guard status == SQLITE_OK else {
            let reason = failure(status)
            throw DriverError(
                reason.cause,
                "cannot open \(configuration.path): \(reason.message) (is the folder there and writable?)",
                requestSent: false)
        }
        interruption.attach(database)
        installHandlers(on: database)
        try configure(configuration)
    }

    private func installHandlers(on database: OpaquePointer) {
        // Unretained: close() removes the handlers' database before this object can go.
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_progress_handler(
            database, CallLimits.instructionsPerCheck,
            { context in
                guard let context else { return 0 }
                let handle = Unmanaged<SQLiteHandle>.fromOpaque(context).takeUnretainedValue()
                return handle.limits?.mustStop(at: .now) == true ? 1 : 0
            }, context)
        sqlite3_busy_handler(
            database,
            { context, attempt in
                guard let context else { return 0 }
                let handle = Unmanaged<SQLiteHandle>.fromOpaque(context).takeUnretainedValue()
                return handle.pauseForLock(attempt: Int(attempt)) ? 1 : 0
            }, context)
    }

    /// Sleeps a little. - Returns: `false` when it is time to give up.
    private func pauseForLock(attempt: Int) -> Bool {
        guard let pause = limits?.pauseForLock(attempt: attempt, at: .now) else { return false }
        var time = timespec(tv_sec: 0, tv_nsec: Int(clamping: pause.nanoseconds))
        nanosleep(&time, nil)
        return true
    }

    private func configure(_ configuration: SQLiteConfiguration) throws(DriverError) {
        _ = try run(SQLStatement("PRAGMA foreign_keys=ON", role: .read))
        _ = try run(SQLStatement("PRAGMA synchronous=NORMAL", role: .read))
        guard let wanted = configuration.journalMode else { return }
        let seen = try setJournalMode(wanted)
        guard seen == wanted.rawValue else {
            throw DriverError(
                .connectFailed(sqlState: nil),
                "\(configuration.path): asked for journal_mode \(wanted.rawValue), it is \(seen ?? "unknown") "
                    + "(WAL needs a real file on a local file system)", requestSent: false)
        }
    }

    /// The switch to WAL can fail with SQLITE_BUSY without asking the busy handler, when several connections make it at
    /// once on a new file: hence a wait of our own.
    private func setJournalMode(_ mode: SQLiteConfiguration.JournalMode) throws(DriverError) -> String? {
        var attempt = 0
        while true {
            do throws(DriverError) {
                let result = try run(SQLStatement("PRAGMA journal_mode=\(mode.rawValue)", role: .read))
                return result.rows.first?.first?.textValue
            } catch {
                guard case .busy = error.cause, pauseForLock(attempt: attempt) else { throw error }
                attempt += 1
            }
        }
    }

    /// Closes the file; an open transaction is rolled back. Safe to call twice.
    ///
    /// - Returns: the SQL of statements that somebody forgot to finalize, which is a defect of the caller; they are
    ///   finalized now.
    package func close() -> [String] {
        guard let open = database.take() else { return [] }
        interruption.attach(nil)
        guard sqlite3_close(open) == SQLITE_BUSY else { return [] }
        var leaked: [String] = []
        while let statement = sqlite3_next_stmt(open, nil) {
            leaked.append(sqlite3_sql(statement).map { String(cString: $0) } ?? "(no text)")
            sqlite3_finalize(statement)
        }
        sqlite3_close_v2(open)
        return leaked
    }

    /// Translates a result code, in the light of why the call may have been stopped.
    func failure(_ code: Int32) -> DriverError {
        let name = SQLiteCode.name(of: code)
        let message = database.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        let waited = limits.map { "after \($0.begin.duration(to: .now))" } ?? "at once"
        switch (code & 0xFF, limits?.stopRequest ?? .none) {
        case (SQLITE_BUSY, .cancelled), (SQLITE_LOCKED, .cancelled), (SQLITE_INTERRUPT, .cancelled):
            return DriverError(.cancelled, "cancelled \(waited) (\(name))")
        case (SQLITE_BUSY, .aborted), (SQLITE_LOCKED, .aborted), (SQLITE_INTERRUPT, .aborted):
            return DriverError(.embedded(code: "SQLITE_INTERRUPT"), "connection aborted \(waited) (\(name))")
        case (SQLITE_BUSY, .none), (SQLITE_LOCKED, .none):
            return DriverError(.busy(code: name), "\(message), gave up \(waited)")
        case (SQLITE_INTERRUPT, .none):
            return DriverError(.timedOut, "deadline passed, interrupted \(waited)")
        default:
            return DriverError(.embedded(code: name), message)
        }
    }
}
