import CSQLite

/// A prepared statement that waits for its next use.
final class CachedStatement {
    let text: String
    let prepared: OpaquePointer
    /// The number that SQLite gave to `$1`, `$2`, …; 0 for a name that does not occur.
    let parameterIndexes: [Int32]
    let isReadOnly: Bool
    /// Many PRAGMAs take effect when they are prepared, so they are prepared for each use.
    let isKept: Bool
    /// It ended in under a millisecond the last time, so nobody will want to cancel it.
    var isQuick = false
    var lastUse: UInt64 = 0

    /// - Parameter prepared: is the object's from now on; ``finalize()`` frees it.
    init(text: String, prepared: OpaquePointer) {
        self.text = text
        self.prepared = prepared
        isReadOnly = sqlite3_stmt_readonly(prepared) != 0
        isKept = !SQLText.isPragma(text)
        let count = max(0, sqlite3_bind_parameter_count(prepared))
        parameterIndexes = (0..<count).map { sqlite3_bind_parameter_index(prepared, "$\($0 + 1)") }
    }

    func finalize() { sqlite3_finalize(prepared) }

    /// Ready for the next use, and without the values of this one.
    func reset() {
        sqlite3_reset(prepared)
        if !parameterIndexes.isEmpty { sqlite3_clear_bindings(prepared) }
    }
}

/// The prepared statements of one connection, by their text; the one that was not used for the longest time goes first.
///
/// A look-up is one hash, or one comparison for the statement that ran last. Room is made in O(capacity), which is little
/// beside the preparation that follows.
struct StatementCache {
    private let capacity: Int
    private var entries: [String: CachedStatement] = [:]
    private var latest: CachedStatement?
    private var uses: UInt64 = 0

    /// - Parameter capacity: at least 1.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    var all: some Collection<CachedStatement> { entries.values }

    mutating func find(_ text: String) -> CachedStatement? {
        if let latest, latest.text == text { return latest }
        guard let found = entries[text] else { return nil }
        uses += 1
        found.lastUse = uses
        latest = found
        return found
    }

    /// - Returns: the statement that had to go, for its ``CachedStatement/finalize()``.
    mutating func insert(_ statement: CachedStatement) -> CachedStatement? {
        let oldest =
            entries.count < capacity ? nil : entries.values.min { $0.lastUse < $1.lastUse }
        if let oldest { entries[oldest.text] = nil }
        uses += 1
        statement.lastUse = uses
        entries[statement.text] = statement
        latest = statement
        return oldest
    }

    mutating func removeAll() -> [CachedStatement] {
        defer {
            entries = [:]
            latest = nil
        }
        return Array(entries.values)
    }
}
