package import ConnectionPool
import RigModel

/// The server's own view of the pool: its sessions by `application_name`. Statements and their answers; pure.
///
/// Run them outside a transaction: inside one, `pg_stat_activity` is a snapshot that does not change.
package struct ServerSessionProbe: Sendable {
    /// One session as `pg_stat_activity` shows it.
    package struct Session: Sendable, Equatable {
        package var pid: Int32
        /// Text of `backend_start`; with the pid it names the session for good.
        package var startedAt: String
        package var state: String
        package var ageSeconds: Double
        /// The beginning of the statement that runs, or ran last.
        package var query: String
        /// Text of `query_start`, `nil` before the first statement.
        package var statementStartedAt: String?
        /// Since that start, while its state is `active`.
        package var runningSeconds: Double?
        /// `nil` for a Unix socket.
        package var clientAddress: String?
        package var clientPort: Int?
    }

    private let applicationName: String

    package init(applicationName: String) { self.applicationName = applicationName }

    package var list: SQLStatement {
        SQLStatement(
            """
            SELECT pid, backend_start::text, coalesce(state, 'starting'),
                   extract(epoch FROM clock_timestamp() - backend_start)::float8, left(query, 80),
                   query_start::text, host(client_addr), client_port::bigint,
                   CASE state WHEN 'active' THEN extract(epoch FROM clock_timestamp() - query_start)::float8 END
            FROM pg_stat_activity
            WHERE application_name = $1 AND pid <> pg_backend_pid() AND backend_type = 'client backend'
            ORDER BY pid
            """, [.text(applicationName)], role: .read)
    }

    package func sessions(in result: SQLResult) -> [Session] {
        result.rows.compactMap { row in
            guard row.count == 9, let pid = row[0].intValue, let startedAt = row[1].textValue else { return nil }
            var age = 0.0
            if case .double(let seconds) = row[3] { age = seconds }
            var running: Double?
            if case .double(let seconds) = row[8] { running = seconds }
            return Session(
                pid: Int32(truncatingIfNeeded: pid), startedAt: startedAt, state: row[2].textValue ?? "",
                ageSeconds: age, query: row[4].textValue ?? "",
                statementStartedAt: row[5].textValue, runningSeconds: running, clientAddress: row[6].textValue,
                clientPort: row[6].textValue == nil ? nil : row[7].intValue.map(Int.init))
        }
    }

    /// Ends these sessions, and no other: one whose pid was used again meanwhile has another start. The answer is for
    /// ``terminated(in:)``.
    package func terminate(_ sessions: [(pid: Int32, startedAt: String)]) -> SQLStatement {
        let names = sessions.map { "\($0.pid) \($0.startedAt)" }.joined(separator: ",")
        return SQLStatement(
            """
            SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = $1 AND pid <> pg_backend_pid()
              AND pid::text || ' ' || backend_start::text = ANY (string_to_array($2, ','))
            """, [.text(applicationName), .text(names)], role: .write)
    }

    /// The sessions that got the signal: one that had ended before is not among them.
    package func terminated(in result: SQLResult) -> Set<Int32> {
        Set(
            result.rows.compactMap { row in
                guard row.count == 2, row[1] == .bool(true) else { return nil }
                return row[0].intValue.map { Int32(truncatingIfNeeded: $0) }
            })
    }

    /// Cancels statements that run now: a share of them, at least one, and at most so many, drawn from the seed. The answer
    /// is for ``cancelled(in:)``.
    package func cancel(atMost limit: Int, share: Double, seed: UInt64) -> SQLStatement {
        SQLStatement(
            """
            WITH running AS MATERIALIZED (
                SELECT pid, backend_start::text AS born, query_start::text AS began,
                       row_number() OVER (ORDER BY md5(pid::text || $2)) AS place, count(*) OVER () AS total
                FROM pg_stat_activity
                WHERE application_name = $1 AND pid <> pg_backend_pid() AND state = 'active')
            SELECT pid, born, began, pg_cancel_backend(pid) FROM running
            WHERE place <= least($3::bigint, greatest(1, round(total * $4::float8)))
            """,
            [.text(applicationName), .text("\(seed)"), .int(Int64(limit)), .double(share)], role: .write)
    }

    /// The sessions that got the signal, with the statement that ran.
    package func cancelled(
        in result: SQLResult
    ) -> [(pid: Int32, startedAt: String, statementStartedAt: String)] {
        result.rows.compactMap { row in
            guard row.count == 4, row[3] == .bool(true), let pid = row[0].intValue, let startedAt = row[1].textValue,
                let began = row[2].textValue
            else { return nil }
            return (Int32(truncatingIfNeeded: pid), startedAt, began)
        }
    }
}
