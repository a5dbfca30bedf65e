package import ConnectionPool

/// Somebody else's pool in this process, reduced to what every pool can do.
package protocol ScopedPool: Sendable {
    /// Borrows a connection, does the work on it, and gives it back.
    ///
    /// - Throws: what the pool or the work throws.
    func withConnection(_ work: @escaping @Sendable (any ScopedConnection) async throws -> Void) async throws
    func close() async
    /// `nil`: it never tells.
    var gauges: PoolGauges? { get }
    /// What an error of this pool means.
    func failure(of error: any Error) -> ScopedFailure
}

/// A connection of somebody else's pool, for as long as it is lent.
package protocol ScopedConnection: Sendable {
    /// The server's process; `nil`: it does not know.
    var backendPID: Int? { get }
    func execute(_ statement: SQLStatement) async throws -> SQLResult
}

/// An error of somebody else's pool, in the words of adapters (see ``AdapterAnswer``).
package struct ScopedFailure: Sendable, Equatable {
    package var failureClass: String
    package var sqlState: String?
    package var message: String

    package init(failureClass: String, sqlState: String?, message: String) {
        self.failureClass = failureClass
        self.sqlState = sqlState
        self.message = message
    }
}
