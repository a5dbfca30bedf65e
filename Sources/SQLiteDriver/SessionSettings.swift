import ConnectionPool

/// The PRAGMAs that belong to a session, not to the file, with their values in a new session of one driver.
struct SessionSettings: Sendable {
    /// Those that can be read and set. `case_sensitive_like` can only be set, and `busy_timeout` is the driver's.
    private static let names = [
        "analysis_limit", "automatic_index", "cache_size", "cache_spill", "cell_size_check", "checkpoint_fullfsync",
        "defer_foreign_keys", "foreign_keys", "fullfsync", "ignore_check_constraints", "journal_size_limit",
        "legacy_alter_table", "locking_mode", "mmap_size", "query_only", "read_uncommitted", "recursive_triggers",
        "reverse_unordered_selects", "secure_delete", "synchronous", "temp_store", "threads", "trusted_schema",
        "wal_autocheckpoint", "writable_schema",
    ]

    private let values: [(name: String, value: SQLValue)]

    /// Reads them from a session. About 50 µs.
    init(of handle: SQLiteHandle) throws(DriverError) { values = try Self.read(from: handle) }

    /// A PRAGMA that this SQLite does not know gives no row, and is left out.
    private static func read(from handle: SQLiteHandle) throws(DriverError) -> [(name: String, value: SQLValue)] {
        var values: [(name: String, value: SQLValue)] = []
        for name in names {
            let rows = try handle.run(SQLStatement("PRAGMA \(name)", role: .read)).rows
            if let value = rows.first?.first { values.append((name, value)) }
        }
        return values
    }

    /// Sets what is different in `handle`.
    func restore(in handle: SQLiteHandle) throws(DriverError) {
        for (wanted, seen) in zip(values, try Self.read(from: handle)) where wanted.value != seen.value {
            let text = wanted.value.textValue ?? "\(wanted.value.intValue ?? 0)"
            _ = try handle.run(SQLStatement("PRAGMA \(wanted.name)=\(text)", role: .read))
            // An exclusive lock is given back by the next use of the file only.
            if wanted.name == "locking_mode" {
                _ = try handle.run(SQLStatement("SELECT count(*) FROM sqlite_master", role: .read))
            }
        }
    }
}

extension SQLiteHandle {
    /// Makes the session as new: no transaction, no attached database, nothing temporary, all settings as at connect.
    ///
    /// What stays: the counters `last_insert_rowid()`, `changes()` and `total_changes()`, and `PRAGMA case_sensitive_like`.
    func resetSession(to settings: SessionSettings) throws(DriverError) {
        _ = try run(.rollback)
        installHandlers()
        for row in try run(SQLStatement("PRAGMA database_list", role: .read)).rows {
            guard row.count > 1, let number = row[0].intValue, number > 1, let name = row[1].textValue else { continue }
            _ = try run(SQLStatement("DETACH DATABASE \(SQLText.quoted(name))", role: .read))
        }
        let temporary = try run(SQLStatement("SELECT count(*) FROM temp.sqlite_master", role: .read))
        if temporary.rows.first?.first?.intValue != 0 {
            // A change of the place for temporary tables drops all that are there; one of the two is a change.
            _ = try run(SQLStatement("PRAGMA temp_store=FILE", role: .read))
            _ = try run(SQLStatement("PRAGMA temp_store=MEMORY", role: .read))
        }
        try settings.restore(in: self)
    }
}
