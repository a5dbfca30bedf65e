/// The one table from failure and phase to outcome. Workloads, the retry policy and the documentation use this one.
///
/// The rule behind it (Jepsen, Maelstrom): a doubtful `fail` makes a checker lie, a doubtful `info` only weakens it.
///
/// | phase | failure | outcome |
/// |---|---|---|
/// | acquire, connect, begin | any | fail: nothing was sent that could take effect |
/// | query, request never sent | any | fail |
/// | query that only reads | any | fail: there is no effect to doubt |
/// | query inside a transaction | any | fail: without COMMIT the server rolls back |
/// | query outside (autocommit) | server error, statement refused (ERROR) | fail, except 08007 and 40003 |
/// | query outside (autocommit) | session ended (FATAL), lost, timed out, cancelled, protocol violation | info |
/// | query outside (autocommit) | SQLITE_BUSY, SQLITE_INTERRUPT and other SQLite errors but SQLITE_IOERR | fail |
/// | commit | server error (ERROR: 40001, 23505, …) | fail, except 08007 and 40003 |
/// | commit | session ended, lost, timed out, cancelled, protocol violation, SQLITE_IOERR | info |
/// | commit | SQLITE_BUSY | fail: the transaction is still open and is rolled back |
/// | release, close | any | ok: the operation itself was over |
///
/// Why a FATAL in autocommit is `info` although the server spoke: in the extended protocol the commit happens at Sync,
/// after CommandComplete, so neither CommandComplete nor a FATAL before ReadyForQuery proves anything.
public enum OutcomeTable {
    /// - Parameters:
    ///   - cause: what failed.
    ///   - phase: where.
    ///   - requestSent: `false` only when the driver knows that no byte of the statement left.
    ///   - inTransaction: the statement ran inside an explicit transaction.
    ///   - readOnly: the statement has no effect that could be doubted.
    public static func outcome(
        of cause: FailureCause, during phase: OperationPhase, requestSent: Bool, inTransaction: Bool, readOnly: Bool
    ) -> Outcome {
        switch phase {
        case .acquire, .connect, .begin: return .fail
        case .release, .close: return .ok
        case .query:
            if readOnly || inTransaction || !requestSent { return .fail }
            return effectOutcome(of: cause)
        case .commit:
            if readOnly || !requestSent { return .fail }
            return effectOutcome(of: cause)
        }
    }

    /// For a request that carries the effect: an autocommit write, or COMMIT itself.
    private static func effectOutcome(of cause: FailureCause) -> Outcome {
        switch cause {
        case .server(let state): statesOfUnknownEffect.contains(state) ? .info : .fail
        case .connectFailed, .poolRefused, .busy: .fail
        case .embedded(let code): code.hasPrefix("SQLITE_IOERR") ? .info : .fail
        case .sessionEnded, .connectionLost, .timedOut, .cancelled, .protocolViolation: .info
        }
    }

    /// transaction_resolution_unknown and statement_completion_unknown (PostgreSQL, Appendix A).
    private static let statesOfUnknownEffect: Set<String> = ["08007", "40003"]
}
