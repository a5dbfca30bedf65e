import CSQLite

/// What is set once for the whole process.
package enum SQLiteLibrary {
    /// Call before the first database is opened.
    package static func prepare() { _ = isPrepared }

    private static let isPrepared: Bool = {
        // SQLite counts its memory under one lock for all connections, at every allocation; this library is built without
        // the lookaside that would spare most of them. Nothing here reads the count. Refused without harm when somebody
        // else has used SQLite in this process before.
        _ = csqlite_disable_memory_statistics()
        SQLiteMutexes.install()
        return true
    }()
}
