import Glibc
import HostSystem

/// The first bytes of a database file (sqlite.org/fileformat2.html#the_database_header).
enum SQLiteHeader {
    /// Where the version of the format for writers stands; for readers it is the byte after it.
    private static let writeVersionOffset = 18
    /// 1 is a rollback journal, 2 is WAL. A database with a higher number for writers can only be read: SQLITE_READONLY.
    private static let versionOfTheFuture: UInt8 = 3
    private static let wal: UInt8 = 2

    /// Makes a database that can be read and not written, by anybody, also by root. In WAL mode.
    static func makeReadOnly(_ path: String) throws(SystemError) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open \(path)") }
        defer { close(descriptor) }
        let versions = [versionOfTheFuture, wal]
        guard pwrite(descriptor, versions, versions.count, off_t(writeVersionOffset)) == versions.count else {
            throw SystemError("write the header of \(path)")
        }
    }
}
