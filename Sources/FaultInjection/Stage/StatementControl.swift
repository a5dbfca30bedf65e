/// A statement of a fault that failed.
package struct StatementFailure: Error, Sendable, CustomStringConvertible {
    /// `nil` when the server did not answer.
    package let sqlState: String?
    package let message: String

    package init(sqlState: String?, message: String) {
        self.sqlState = sqlState
        self.message = message
    }

    package var description: String { (sqlState.map { "\($0): " } ?? "") + message }
}

/// Statements beside the pool: on its database, over connections that no fault disturbs.
package protocol StatementControl: Sendable {
    /// The workload's tables: faults that need rows take these, and may add tables of their own beginning with ``prefix``.
    var appendsTable: String { get }
    var accountsTable: String { get }
    var prefix: String { get }
    /// The pool's role; on a server of the run's own it is no superuser, and the rig's is one.
    var poolRole: String { get }

    /// Runs one statement by the rig's role; values as text, in the order of rows and columns.
    @discardableResult
    func run(_ sql: String, within limit: Duration) async throws(StatementFailure) -> [[String?]]
    /// Opens a session of the fault's own, which lasts until it is closed: to hold a lock or a slot. It is none of the
    /// pool's sessions (`application_name` is `chaosrig-fault/…`), and is closed at the run's end at the latest.
    ///
    /// - Parameter role: the rig's own when `nil`.
    func openSession(as role: String?) async throws(StatementFailure) -> any FaultSession
}

extension StatementControl {
    /// Does something in a session of its own, which is closed afterwards whatever came of it.
    ///
    /// - Parameter role: the rig's own when `nil`.
    func withSession<Value: Sendable>(
        as role: String? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (any FaultSession) async throws(StatementFailure) -> Value
    ) async throws(StatementFailure) -> Value {
        let session = try await openSession(as: role)
        let outcome: Result<Value, StatementFailure>
        do throws(StatementFailure) { outcome = .success(try await body(session)) } catch { outcome = .failure(error) }
        await session.close()
        return try outcome.get()
    }

    /// Runs one statement in a session of its own as the pool's role.
    ///
    /// - Returns: why it failed; `nil` when it did not.
    func refusalOfPool(_ sql: String, within limit: Duration) async -> StatementFailure? {
        do throws(StatementFailure) {
            try await withSession(as: poolRole) { session throws(StatementFailure) in
                _ = try await session.run(sql, within: limit)
            }
            return nil
        } catch {
            return error
        }
    }
}

/// A session that belongs to a fault. One statement at a time.
package protocol FaultSession: Sendable {
    /// Of its backend.
    var pid: Int32 { get }
    @discardableResult
    func run(_ sql: String, within limit: Duration) async throws(StatementFailure) -> [[String?]]
    func close() async
}
