/// The names of SQLite's result codes, primary and extended (sqlite3.h of 3.40, and SQLITE_IOERR_IN_PAGE of 3.43).
package enum SQLiteCode {
    /// - Parameter code: what a `sqlite3_…` call returned, with extended codes on.
    /// - Returns: for example `SQLITE_BUSY_SNAPSHOT`. A code that this table does not know keeps the name of its primary
    ///   code and its number: `SQLITE_IOERR_99`, `SQLITE_77`.
    package static func name(of code: Int32) -> String {
        let primary = primaryName(of: code & 0xFF)
        let detail = Int(code >> 8)
        guard detail > 0 else { return primary }
        let names = details[primary] ?? []
        return "\(primary)_\(detail <= names.count ? names[detail - 1] : "\(detail)")"
    }

    private static func primaryName(of code: Int32) -> String {
        switch code {
        case 100: "SQLITE_ROW"
        case 101: "SQLITE_DONE"
        case 0..<Int32(primaries.count): "SQLITE_\(primaries[Int(code)])"
        default: "SQLITE_\(code)"
        }
    }

    /// By number, from 0.
    private static let primaries = [
        "OK", "ERROR", "INTERNAL", "PERM", "ABORT", "BUSY", "LOCKED", "NOMEM", "READONLY", "INTERRUPT", "IOERR",
        "CORRUPT", "NOTFOUND", "FULL", "CANTOPEN", "PROTOCOL", "EMPTY", "SCHEMA", "TOOBIG", "CONSTRAINT", "MISMATCH",
        "MISUSE", "NOLFS", "AUTH", "FORMAT", "RANGE", "NOTADB", "NOTICE", "WARNING",
    ]

    /// By the number in the second byte, from 1.
    private static let details = [
        "SQLITE_OK": ["LOAD_PERMANENTLY", "SYMLINK"],
        "SQLITE_ERROR": ["MISSING_COLLSEQ", "RETRY", "SNAPSHOT"],
        "SQLITE_ABORT": ["1", "ROLLBACK"],
        "SQLITE_BUSY": ["RECOVERY", "SNAPSHOT", "TIMEOUT"],
        "SQLITE_LOCKED": ["SHAREDCACHE", "VTAB"],
        "SQLITE_READONLY": ["RECOVERY", "CANTLOCK", "ROLLBACK", "DBMOVED", "CANTINIT", "DIRECTORY"],
        "SQLITE_IOERR": [
            "READ", "SHORT_READ", "WRITE", "FSYNC", "DIR_FSYNC", "TRUNCATE", "FSTAT", "UNLOCK", "RDLOCK", "DELETE",
            "BLOCKED", "NOMEM", "ACCESS", "CHECKRESERVEDLOCK", "LOCK", "CLOSE", "DIR_CLOSE", "SHMOPEN", "SHMSIZE",
            "SHMLOCK", "SHMMAP", "SEEK", "DELETE_NOENT", "MMAP", "GETTEMPPATH", "CONVPATH", "VNODE", "AUTH",
            "BEGIN_ATOMIC", "COMMIT_ATOMIC", "ROLLBACK_ATOMIC", "DATA", "CORRUPTFS", "IN_PAGE",
        ],
        "SQLITE_CORRUPT": ["VTAB", "SEQUENCE", "INDEX"],
        "SQLITE_CANTOPEN": ["NOTEMPDIR", "ISDIR", "FULLPATH", "CONVPATH", "DIRTYWAL", "SYMLINK"],
        "SQLITE_CONSTRAINT": [
            "CHECK", "COMMITHOOK", "FOREIGNKEY", "FUNCTION", "NOTNULL", "PRIMARYKEY", "TRIGGER", "UNIQUE", "VTAB",
            "ROWID", "PINNED", "DATATYPE",
        ],
        "SQLITE_AUTH": ["USER"],
        "SQLITE_NOTICE": ["RECOVER_WAL", "RECOVER_ROLLBACK"],
        "SQLITE_WARNING": ["AUTOINDEX"],
    ]
}
