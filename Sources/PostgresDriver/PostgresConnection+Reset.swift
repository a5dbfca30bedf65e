package import ConnectionPool
import RigModel
package import Threading

extension PostgresConnection {
    package func cancelRunningStatement(deadline: MonotonicInstant) async {}
    package func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError) {
        if transactionStatus == .inTransaction || transactionStatus == .failedTransaction {
            _ = try await execute(.rollback, deadline: deadline)
        }
        guard transactionStatus == .idle else {
            throw session.obstacle(at: .now)
                ?? .notSent(.protocolViolation, "the session is still \(transactionStatus.rawValue)")
        }
    }
}
