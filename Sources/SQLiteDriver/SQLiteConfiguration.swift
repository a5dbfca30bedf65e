/// How the driver opens a database file.
package struct SQLiteConfiguration: Sendable, Equatable {
    /// The journal modes that survive on disk or matter to locking; see <https://sqlite.org/pragma.html#pragma_journal_mode>.
    package enum JournalMode: String, Sendable {
        case wal
        case delete
    }

    /// The database file. It is created when it is missing and ``createsIfMissing`` is set; its folder is not.
    package var path: String
    /// Set and then checked at every connect; `nil` leaves what the file has.
    package var journalMode: JournalMode?
    /// The longest wait for a lock that somebody else holds. The deadline of the call always comes first.
    package var busyTimeout: Duration
    package var createsIfMissing: Bool
    /// Opens the file for reading only: every write fails with `SQLITE_READONLY`. The file must exist, in the journal mode
    /// that is asked for.
    package var isReadOnly: Bool
    /// Prepared statements that each connection keeps. At least 1.
    package var statementCacheSize: Int
    /// Page cache of each connection, in KiB; it grows as pages are read. SQLite's default is 2000.
    package var pageCacheKiB: Int
    /// The name of a registered VFS, such as ``SQLiteShim/name``; `nil` for SQLite's default.
    package var fileSystem: String?

    package init(
        path: String, journalMode: JournalMode? = .wal, busyTimeout: Duration = .seconds(1),
        createsIfMissing: Bool = true, isReadOnly: Bool = false, statementCacheSize: Int = 128,
        pageCacheKiB: Int = 8000, fileSystem: String? = nil
    ) {
        self.path = path
        self.journalMode = journalMode
        self.busyTimeout = busyTimeout
        self.createsIfMissing = createsIfMissing
        self.isReadOnly = isReadOnly
        self.statementCacheSize = max(1, statementCacheSize)
        self.pageCacheKiB = max(64, pageCacheKiB)
        self.fileSystem = fileSystem
    }
}
