package import ConnectionPool
import EventLoop
import RigModel
package import Threading

extension PostgresConnection {
    /// Brings the session back to a clean state.
    ///
    /// - `none`: does nothing; a session with an open transaction is refused.
    /// - `rollback`: rolls an open transaction back, in one round trip; nothing for a session that has none.
    /// - `full`: like DISCARD ALL, in one round trip, but prepared statements and their plans stay. Settings go back to what
    ///   the connection string and its options say.
    ///
    /// - Throws: ``DriverError`` when the connection is unusable, or is so afterwards: discard it then.
    package func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError) {
        let status = transactionStatus
        let isOpen = status == .inTransaction || status == .failedTransaction
        switch policy {
        case .none: break
        case .rollback: if isOpen { _ = try await execute(.rollback, deadline: deadline) }
        case .full:
            guard isOpen || status == .idle else { break }
            try await executeScript((isOpen ? "ROLLBACK; " : "") + Self.cleaning, deadline: deadline)
        }
        guard transactionStatus == .idle else {
            throw session.obstacle(idle: .max)
                ?? .notSent(.protocolViolation, "the session is still \(transactionStatus.rawValue)")
        }
    }

    /// What DISCARD ALL stands for, without DEALLOCATE ALL and DISCARD PLANS. It cannot be used itself: these two come with it.
    private static let cleaning = """
        CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); \
        DISCARD TEMP; DISCARD SEQUENCES
        """

    /// Runs several statements without parameters with the simple protocol, as one transaction.
    private nonisolated(nonsending) func executeScript(
        _ text: String, deadline: MonotonicInstant
    ) async throws(DriverError) {
        let start = try Self.admit(until: deadline)
        let (watch, isUnflushed) = try session.begin(script: text, at: start)
        let reply = try await answer(on: watch, isUnflushed: isUnflushed, from: start, until: deadline)
        do throws(DriverError) { try reply.verdictOfScript() } catch {
            if error.provesLoss { session.damage(error) }
            throw error
        }
    }
}
