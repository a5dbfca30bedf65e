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

    package init(
        path: String, journalMode: JournalMode? = .wal, busyTimeout: Duration = .seconds(1),
        createsIfMissing: Bool = true
    ) {
        self.path = path
        self.journalMode = journalMode
        self.busyTimeout = busyTimeout
        self.createsIfMissing = createsIfMissing
    }
}
