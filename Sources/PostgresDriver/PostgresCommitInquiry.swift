package import ConnectionPool

/// Learns what became of a COMMIT from `pg_xact_status` (PostgreSQL 13 or later).
///
/// The answer is only good from the server that was written to: not from a standby, and not after a failover that may have
/// lost the commit itself.
package struct PostgresCommitInquirer: CommitInquirer {
    package init() {}

    /// `nil` in the answer: nothing was written. Asking must not make a number: a standby has none to give.
    package var askID: SQLStatement { SQLStatement("SELECT pg_current_xact_id_if_assigned()::text", role: .read) }

    package func id(in result: SQLResult) -> String? { result.rows.first?.first?.textValue }

    package func status(of id: String) -> SQLStatement {
        SQLStatement("SELECT pg_xact_status($1::xid8)", [.text(id)], role: .read)
    }

    package func read(_ result: SQLResult) -> CommitStatus {
        switch result.rows.first?.first?.textValue {
        case "committed": .committed
        case "aborted": .aborted
        case "in progress": .inProgress
        default: .unknown
        }
    }
}
