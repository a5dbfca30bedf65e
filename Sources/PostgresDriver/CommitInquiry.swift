package import ConnectionPool

/// Learns what became of a COMMIT whose answer was lost, by asking the server (PostgreSQL 13 or later).
///
/// A recipe of plain statements, for any connection to the same server:
///
/// 1. Ask for the transaction's number with ``transactionNumber``, in the transaction, before COMMIT is sent. As the last
///    statement of a batch it costs no round trip. `nil` from ``number(in:)``: the transaction has written nothing.
/// 2. Send COMMIT. When its outcome is in doubt, ask on another connection with ``status(of:)``, and read the answer with
///    ``outcome(in:)``. While that is ``Outcome/inProgress`` the session still lives: end it, or ask again later.
///
/// The answer is only good from the server that was written to: not from a standby, and not after a failover that may have
/// lost the commit itself.
package enum CommitInquiry {
    package enum Outcome: String, Sendable, Equatable {
        case committed
        case aborted
        case inProgress = "in-progress"
        /// The server no longer knows, or never knew the number.
        case unknown
    }

    /// Asks for the number of the open transaction.
    package static let transactionNumber = SQLStatement(
        "SELECT pg_current_xact_id_if_assigned()::text", role: .read)

    /// The number in the answer to ``transactionNumber``; `nil` when the transaction has written nothing, so that there is
    /// nothing to be in doubt about.
    package static func number(in result: SQLResult) -> String? { result.rows.first?.first?.textValue }

    /// Asks what became of a transaction.
    ///
    /// A number that lies in the server's future (it was restored, or is another one) is an error in the server, `22023`: take
    /// it as ``Outcome/unknown``.
    package static func status(of number: String) -> SQLStatement {
        SQLStatement("SELECT pg_xact_status($1::xid8)", [.text(number)], role: .read)
    }

    /// The answer to ``status(of:)``.
    package static func outcome(in result: SQLResult) -> Outcome {
        switch result.rows.first?.first?.textValue {
        case "committed": .committed
        case "aborted": .aborted
        case "in progress": .inProgress
        default: .unknown
        }
    }
}
