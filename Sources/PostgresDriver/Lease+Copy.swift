package import ConnectionPool
package import Threading

extension Lease where D == PostgresDriver {
    /// Sends rows with COPY … FROM STDIN; see ``PostgresConnection/copyIn(_:deadline:_:)``. The pool learns of a loss, its
    /// watchers of the whole COPY. Only the deadline bounds it, not the pool's statement timeout.
    package func copyIn(
        _ text: String, deadline: MonotonicInstant,
        _ body: nonisolated(nonsending) (CopyWriter) async throws -> Void
    ) async throws -> Int {
        try await call(showing: SQLStatement(text, role: .write), affectedRows: { $0 }) { connection in
            try await connection.copyIn(text, deadline: deadline, body)
        }
    }

    /// Receives rows with COPY … TO STDOUT; see ``PostgresConnection/copyOut(_:deadline:_:)`` and
    /// ``copyIn(_:deadline:_:)``.
    package func copyOut<R>(
        _ text: String, deadline: MonotonicInstant,
        _ body: nonisolated(nonsending) (CopyReader) async throws -> R
    ) async throws -> R {
        try await call(showing: SQLStatement(text, role: .read)) { connection in
            try await connection.copyOut(text, deadline: deadline, body)
        }
    }
}
