package import ConnectionPool
import RigModel
package import Threading

extension SQLiteConnection {
    /// Cleans the session.
    ///
    /// With `full` an open transaction is rolled back, attached databases are detached, temporary tables, views and triggers
    /// dropped, and all PRAGMAs of the session set to what they were at connect. Prepared statements stay prepared. What
    /// stays is named at ``SQLiteHandle/resetSession(to:)``.
    ///
    /// - Throws: as ``execute(_:deadline:)``.
    package func reset(_ policy: ResetPolicy, deadline: MonotonicInstant) async throws(DriverError) {
        switch policy {
        case .none: break
        case .rollback: _ = try await execute(.rollback, deadline: deadline)
        case .full: try await session.resetFully(deadline: deadline)
        }
    }
}

extension SQLiteSession {
    func resetFully(deadline: MonotonicInstant) async throws(DriverError) {
        let settings = newSessionSettings
        try await call(deadline: deadline) { handle throws(DriverError) in
            if let settings { try handle.resetSession(to: settings) }
        }
    }
}
