import CLibPQ
import ConnectionPool

/// The answer to one statement as it comes in. The usual one, a single success, is kept as it is and read once, outside the
/// session's lock; everything else goes to a ``ReplyLedger``.
struct Reply: ~Copyable {
    private var success: OpaquePointer?
    private var ledger: ReplyLedger?
    /// Set when nothing more comes.
    var end = ReplyLedger.End(isReady: false, notice: nil, lastWords: "")

    init() {}

    deinit { if let success { PQclear(success) } }

    /// Nothing that can still come would change the verdict.
    var isOver: Bool { ledger?.isOver ?? false }

    /// Takes over a result of libpq.
    mutating func take(_ result: OpaquePointer) {
        let status = PQresultStatus(result)
        if success == nil, ledger == nil, status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK {
            success = result
            return
        }
        defer { PQclear(result) }
        var all = ledger ?? ReplyLedger()
        if let first = success.take() {
            all.take(ReplyLedger.Part(first))
            PQclear(first)
        }
        all.take(ReplyLedger.Part(result))
        ledger = all
    }

    /// The first error of the server or of libpq.
    var failure: ServerMessage? { ledger?.firstError }

    /// The statement made the server forget every prepared statement.
    var forgotStatements: Bool {
        guard let success, let tag = PQcmdStatus(success) else { return false }
        return tag.begins(with: "DISCARD ALL") || tag.begins(with: "DEALLOCATE ALL")
    }

    /// The statement's rows, or why it failed.
    func verdict(role: SQLStatement.Role) throws(DriverError) -> SQLResult {
        if let success, end.isReady {
            if role == .commit, let tag = PQcmdStatus(success), tag.begins(with: "ROLLBACK") {
                throw ReplyLedger.commitRolledBack
            }
            return ResultReader.read(success)
        }
        var all = ledger ?? ReplyLedger()
        if let success { all.take(ReplyLedger.Part(success)) }
        return try all.verdict(role: role, end: end)
    }

    /// Throws if one of several statements failed, whatever the number of their results.
    func verdictOfScript() throws(DriverError) {
        try (ledger ?? ReplyLedger()).refuse(end)
    }
}
