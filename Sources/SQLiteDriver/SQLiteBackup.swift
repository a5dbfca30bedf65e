import CSQLite
import ConnectionPool
import Glibc
import RigModel

/// A copy of a database that is being made, page by page, in a file beside its destination. Only a complete copy gets the
/// destination's name. Belongs to the handle that it reads from.
final class SQLiteBackup {
    enum Progress: Sendable {
        case more
        /// Somebody else has the lock. Wait, then go on.
        case busy(DriverError)
        case done(pages: Int)
    }

    private let path: String
    private let partialPath: String
    private var destination: OpaquePointer?
    private var backup: OpaquePointer?
    private var pagesPerStep: Int32
    private var remaining = Int32.max

    /// - Throws: `.embedded`: `SQLITE_CANTOPEN` when the destination exists, or another backup to it runs or has died.
    init(of source: SQLiteHandle, to path: String, pagesPerStep: Int) throws(DriverError) {
        self.path = path
        partialPath = path + "-partial"
        self.pagesPerStep = Int32(clamping: max(1, pagesPerStep))
        // A log of the old file would be played into the new one.
        for suffix in ["", "-wal", "-journal"] where access(path + suffix, F_OK) == 0 {
            throw Self.cannotOpen(
                "\(path + suffix) exists; a backup never overwrites, delete it or choose another name")
        }
        let file = Glibc.open(partialPath, O_CREAT | O_EXCL | O_RDWR, 0o644)
        guard file >= 0 else {
            let reason = String(cString: strerror(errno))
            throw Self.cannotOpen(
                "cannot create \(partialPath): \(reason) (another backup to the same place? one that died leaves this file)"
            )
        }
        Glibc.close(file)
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = sqlite3_open_v2(partialPath, &destination, flags, nil)
        if status == SQLITE_OK { backup = sqlite3_backup_init(destination, "main", source.database, "main") }
        guard backup != nil else {
            let reason = destination.map { String(cString: sqlite3_errmsg($0)) } ?? "no memory"
            abandon()
            throw Self.cannotOpen("cannot write \(partialPath): \(reason)")
        }
    }

    private static func cannotOpen(_ message: String) -> DriverError {
        DriverError(.embedded(code: "SQLITE_CANTOPEN"), message, requestSent: false)
    }

    /// Copies the next pages.
    func step() throws(DriverError) -> Progress {
        let status = sqlite3_backup_step(backup, pagesPerStep)
        switch status & 0xFF {
        case SQLITE_DONE:
            return .done(pages: try complete())
        case SQLITE_OK:
            let left = sqlite3_backup_remaining(backup)
            // Somebody wrote into the source, so SQLite has begun anew. Longer steps overtake the writers in the end.
            if left >= remaining { pagesPerStep = pagesPerStep > .max / 2 ? .max : pagesPerStep * 2 }
            remaining = left
            return .more
        case SQLITE_BUSY, SQLITE_LOCKED:
            return .busy(
                DriverError(.busy(code: SQLiteCode.name(of: status)), "backup to \(path): the source is locked"))
        default:
            throw DriverError(
                .embedded(code: SQLiteCode.name(of: status)),
                "backup to \(path): \(String(cString: sqlite3_errstr(status)))")
        }
    }

    private func complete() throws(DriverError) -> Int {
        let pages = Int(sqlite3_backup_pagecount(backup))
        var status = sqlite3_backup_finish(backup)
        backup = nil
        if status == SQLITE_OK { status = sqlite3_close(destination) }
        guard status == SQLITE_OK else {
            throw DriverError(
                .embedded(code: SQLiteCode.name(of: status)),
                "backup to \(path): \(String(cString: sqlite3_errstr(status))) while finishing")
        }
        destination = nil
        // Unlike rename, link never overwrites.
        guard link(partialPath, path) == 0 else {
            throw Self.cannotOpen("cannot name the backup \(path): \(String(cString: strerror(errno)))")
        }
        unlink(partialPath)
        syncFolder()
        return pages
    }

    /// The new name survives a crash of the machine.
    private func syncFolder() {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        Glibc.close(descriptor)
    }

    /// Ends it and removes what there is of an unfinished copy. Safe to call twice, and after the end.
    func abandon() {
        if let backup { sqlite3_backup_finish(backup) }
        backup = nil
        guard let destination else { return }
        sqlite3_close(destination)
        self.destination = nil
        unlink(partialPath)
        unlink(partialPath + "-journal")
    }
}
