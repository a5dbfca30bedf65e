import CSQLite
package import ConnectionPool
import RigModel
import Threading

/// A `sqlite3 *`, its handlers and its prepared statements. One thread at a time may use it, any thread: every call here
/// may block on the file. Nothing here waits for a lock that somebody else holds.
package final class SQLiteHandle {
    /// The open database; `nil` before ``open(_:)`` and after ``close()``.
    package private(set) var database: OpaquePointer?
    let gate: CallGate
    /// The bounds of the call that runs. The handlers ask them; without any, nothing is bounded.
    var limits: CallLimits?
    /// SQLite asked whether to wait for a lock: the failure that follows can go away by waiting. It does not ask where
    /// waiting is in vain, for example when a reader whose snapshot is old wants to write.
    var askedToWait = false
    /// The task of the running call was seen to be cancelled.
    private var sawCancellation = false
    var statements: StatementCache
    let counter: CacheCounter
    var backup: SQLiteBackup?

    init(gate: CallGate, cacheSize: Int, counter: CacheCounter) {
        self.gate = gate
        self.counter = counter
        statements = StatementCache(capacity: cacheSize)
    }

    /// Without a session around it, for tests of this type.
    package convenience init() { self.init(gate: CallGate(), cacheSize: 16, counter: CacheCounter()) }

    /// The connection has met something that a new one may not meet: a damaged page, which stays in its cache when the file
    /// is well again, or a file that its name does not lead to any more.
    private var isSpoiled = false

    /// What SQLite says about the transaction: it also ends one by itself, for example when it interrupts a write.
    package var transactionStatus: TransactionStatus {
        guard let database, !isSpoiled else { return .unusable }
        return sqlite3_get_autocommit(database) != 0 ? .idle : .inTransaction
    }

    /// Nothing to roll back.
    var isOutsideTransaction: Bool { database.map { sqlite3_get_autocommit($0) != 0 } ?? true }

    /// Runs a statement that needs nothing, and looks whether the name of the file still leads to it.
    ///
    /// - Throws: as ``run(_:)``; `SQLITE_READONLY_DBMOVED` when the file was moved or replaced.
    func check() throws(DriverError) {
        _ = try run(SQLStatement("SELECT 1", role: .read))
        guard hasMoved else { return }
        isSpoiled = true
        throw DriverError(
            .embedded(code: "SQLITE_READONLY_DBMOVED"),
            "the database file was moved or replaced; a new connection opens what is there now")
    }

    private var hasMoved: Bool {
        var moved: Int32 = 0
        return sqlite3_file_control(database, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0
    }

    // MARK: Open

    /// Opens the file and brings the connection into the state that the configuration asks for. May be called again after
    /// `.busy`, and then goes on.
    ///
    /// - Throws: `.busy`, `.timedOut`, `.cancelled`; `.embedded` (for example `SQLITE_CANTOPEN`, `SQLITE_NOTADB`);
    ///   `.connectFailed` when the journal mode did not take effect. ``close()`` is still needed then.
    package func open(_ configuration: SQLiteConfiguration) throws(DriverError) {
        if database == nil { try openFile(configuration) }
        try configure(configuration)
    }

    private func openFile(_ configuration: SQLiteConfiguration) throws(DriverError) {
        SQLiteLibrary.prepare()
        let create = configuration.createsIfMissing ? SQLITE_OPEN_CREATE : 0
        let access = configuration.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | create
        // NOMUTEX: the gate lets one call at a time in; sqlite3_interrupt is allowed from other threads all the same.
        let flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = sqlite3_open_v2(configuration.path, &database, flags, configuration.fileSystem)
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
        gate.attach(database)
        installHandlers()
    }

    /// `PRAGMA busy_timeout` would replace the busy handler, so a full reset installs it again.
    func installHandlers() {
        guard let database else { return }
        // Unretained: close() ends the database, and its handlers, before this object can go.
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_progress_handler(
            database, CallLimits.instructionsPerCheck,
            { context in
                guard let context else { return 0 }
                return Unmanaged<SQLiteHandle>.fromOpaque(context).takeUnretainedValue().mustStop() ? 1 : 0
            }, context)
        sqlite3_busy_handler(
            database,
            { context, _ in
                guard let context else { return 0 }
                Unmanaged<SQLiteHandle>.fromOpaque(context).takeUnretainedValue().askedToWait = true
                return 0
            }, context)
    }

    /// Asked by SQLite every thousand instructions, on the thread and in the task of the call.
    private func mustStop() -> Bool {
        guard let limits else { return false }
        if Task.isCancelled {
            sawCancellation = true
            return true
        }
        return gate.stopRequest != .none || MonotonicInstant.now >= limits.deadline
    }

    private func configure(_ configuration: SQLiteConfiguration) throws(DriverError) {
        _ = try run(SQLStatement("PRAGMA foreign_keys=ON", role: .read))
        _ = try run(SQLStatement("PRAGMA synchronous=NORMAL", role: .read))
        _ = try run(SQLStatement("PRAGMA cache_size=-\(configuration.pageCacheKiB)", role: .read))
        guard let wanted = configuration.journalMode else { return }
        // A reader cannot switch: it looks.
        let change = configuration.isReadOnly ? "" : "=\(wanted.rawValue)"
        let answer = try run(SQLStatement("PRAGMA journal_mode\(change)", role: .read)).rows.first?.first?.textValue
        guard answer == wanted.rawValue else {
            throw DriverError(
                .connectFailed(sqlState: nil),
                "\(configuration.path): asked for journal_mode \(wanted.rawValue), it is \(answer ?? "unknown") "
                    + "(WAL needs a real file on a local file system)", requestSent: false)
        }
    }

    // MARK: Close

    /// Closes the file; an open transaction is rolled back, an unfinished backup given up. Safe to call twice.
    ///
    /// The last connection to close a file in WAL mode copies the log into the file and deletes it (SQLite's checkpoint).
    ///
    /// - Returns: the SQL of statements that somebody forgot to finalize, which is a defect of the caller; they are
    ///   finalized now. What SQLite does not name, such as a `sqlite3_backup` that still reads from this connection, is not
    ///   touched: the file then closes when its owner finishes it, and nothing is lost.
    package func close() -> [String] {
        guard let open = database else { return [] }
        backup?.abandon()
        backup = nil
        for statement in statements.removeAll() { statement.finalize() }
        database = nil
        gate.attach(nil)
        guard sqlite3_close(open) == SQLITE_BUSY else { return [] }
        var leaked: [String] = []
        var next = sqlite3_next_stmt(open, nil)
        while let statement = next {
            next = sqlite3_next_stmt(open, statement)
            // A statement without text belongs to a blob handle, which finalizes it when it is closed.
            guard let text = sqlite3_sql(statement) else { continue }
            leaked.append(String(cString: text))
            sqlite3_finalize(statement)
        }
        if sqlite3_close(open) == SQLITE_BUSY {
            leaked.append("(an open sqlite3_backup or sqlite3_blob; the file stays open until it is finished)")
            sqlite3_close_v2(open)
        }
        return leaked
    }

    // MARK: Failures

    /// What must be forgotten before a call, or one more try of it.
    func beginTry() {
        askedToWait = false
        sawCancellation = false
    }

    /// Translates a result code, in the light of why the call may have been stopped.
    func failure(_ code: Int32) -> DriverError {
        let message = database.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        return failure(code, message)
    }

    /// The error of a call that gave up waiting for a lock because somebody wanted it to stop.
    ///
    /// - Parameter busy: what it last met.
    func stopped(_ busy: DriverError) -> DriverError {
        failure(SQLITE_BUSY, busy.message)
    }

    private func failure(_ code: Int32, _ message: String) -> DriverError {
        switch code & 0xFF {
        case SQLITE_CORRUPT, SQLITE_NOTADB: isSpoiled = true
        case SQLITE_READONLY: isSpoiled = isSpoiled || hasMoved
        default: break
        }
        let name = SQLiteCode.name(of: code)
        let now = MonotonicInstant.now
        let waited = limits.map { "after \($0.begin.duration(to: now))" } ?? "at once"
        switch (code & 0xFF, sawCancellation ? .cancelled : gate.stopRequest) {
        case (SQLITE_BUSY, .cancelled), (SQLITE_LOCKED, .cancelled), (SQLITE_INTERRUPT, .cancelled):
            return DriverError(.cancelled, "cancelled \(waited) (\(name))")
        case (SQLITE_BUSY, .aborted), (SQLITE_LOCKED, .aborted), (SQLITE_INTERRUPT, .aborted):
            return DriverError(.embedded(code: "SQLITE_INTERRUPT"), "connection aborted \(waited) (\(name))")
        case (SQLITE_BUSY, .interrupted), (SQLITE_LOCKED, .interrupted), (SQLITE_INTERRUPT, .interrupted):
            return DriverError(.embedded(code: "SQLITE_INTERRUPT"), "interrupted on request \(waited) (\(name))")
        case (SQLITE_BUSY, .none), (SQLITE_LOCKED, .none):
            return DriverError(.busy(code: name), "\(message), gave up \(waited)")
        case (SQLITE_INTERRUPT, .none) where limits.map({ now >= $0.deadline }) ?? false:
            return DriverError(.timedOut, "deadline passed, interrupted \(waited)")
        default:
            return DriverError(.embedded(code: name), message)
        }
    }
}
