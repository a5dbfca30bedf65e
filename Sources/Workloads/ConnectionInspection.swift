import ConnectionPool
import RigModel

/// What a session of PostgreSQL has that a new one has not. Statements and their answers; pure.
///
/// Not counted: what the driver's own start-up options say, and the statements that it keeps prepared itself, which SQL did not
/// make. A session that is as new finds nothing.
enum ConnectionInspection {
    /// In autocommit two statements are two transactions, with two times; in an open one they have the same.
    static let begin = SQLStatement("SELECT now()::text", role: .read)

    /// Rows: what, detail.
    static let look = SQLStatement(
        """
        SELECT 'now', now()::text
        UNION ALL
        SELECT CASE name WHEN 'search_path' THEN 'search-path' ELSE 'settings' END, name || ' = ' || setting
        FROM pg_settings WHERE source = 'session' AND setting IS DISTINCT FROM reset_val
        UNION ALL SELECT 'role', current_setting('role') WHERE current_setting('role') <> 'none'
        UNION ALL
        SELECT 'temp-table', relname::text FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
        UNION ALL SELECT 'prepared', name FROM pg_prepared_statements WHERE from_sql
        UNION ALL
        SELECT 'advisory-lock', classid::text || ',' || objid::text FROM pg_locks
        WHERE locktype = 'advisory' AND pid = pg_backend_pid()
        UNION ALL SELECT 'listen', channel FROM pg_listening_channels() AS channel
        """, role: .read)

    /// A list of `{"what","detail"}`.
    static func found(in results: [SQLResult]) -> JSONValue {
        guard results.count == 2, let began = results[0].rows.first?.first?.textValue else { return .null }
        return .array(
            results[1].rows.compactMap { row in
                guard row.count == 2, let what = row[0].textValue, let detail = row[1].textValue else { return nil }
                guard what == "now" else { return ["what": .string(what), "detail": .string(detail)] }
                return began == detail ? ["what": "transaction", "detail": .string("open since \(began)")] : nil
            })
    }
}
