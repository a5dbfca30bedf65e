import RigModel
public import Threading

/// The right to use one connection, once. A second release, or a use after it, does not compile.
///
/// A lease that dies unreleased is a leak: the pool is told, with the line that borrowed it, and closes the connection.
public struct Lease<D: Driver>: ~Copyable, Sendable {
    @usableFromInline let core: PoolCore
    @usableFromInline let handle: ConnectionHandle
    /// Used by this lease only, until it is released. Statements go through ``execute(_:deadline:)``, so that the pool learns
    /// of a loss.
    public let connection: D.Connection
    public let site: BorrowSite
    @usableFromInline var isReleased = false

    @inlinable @inline(__always)
    init(core: PoolCore, lent: Lent, site: BorrowSite) {
        self.core = core
        handle = lent.handle
        // The core's connections are those that the pool's driver opened.
        connection = unsafeDowncast(lent.connection, to: D.Connection.self)
        self.site = site
    }

    /// The pool's number of the connection.
    public var connectionNumber: Int { handle.serial }

    /// Runs a statement within the pool's statement timeout and the given deadline. An error that proves the connection dead
    /// makes the pool look after the others at once.
    @inlinable
    public func execute(
        _ statement: SQLStatement, deadline: MonotonicInstant = .distantFuture
    ) async throws(DriverError) -> SQLResult {
        do throws(DriverError) {
            return try await connection.execute(statement, deadline: core.statementLimit(deadline))
        } catch {
            if error.provesLoss { core.noteLoss(handle) }
            throw error
        }
    }

    /// Gives the connection back. What the protocol says about the session decides what becomes of it: idle, rolled back
    /// in the background, or closed. Never waits.
    @inlinable @inline(__always)
    public consuming func release() {
        isReleased = true
        core.release(handle, connection.transactionStatus, affinity: connection.affinity)
    }

    @inlinable
    deinit {
        if !isReleased { core.noteLeak(handle) }
    }
}

extension Pool {
    /// Lends a connection to `body` and takes it back on every way out: return, throw or cancellation.
    ///
    /// - Throws: ``PoolError`` when there is none in time; whatever `body` throws.
    public func withConnection<R>(
        deadline: MonotonicInstant = .distantFuture, file: StaticString = #fileID, line: UInt = #line,
        _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        try await withConnection(deadline: deadline, site: BorrowSite(file: file, line: line), body)
    }

    /// The same, borrowed in the name of another line.
    public func withConnection<R>(
        deadline: MonotonicInstant, site: BorrowSite, _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        let lease = try await acquire(deadline: deadline, site: site)
        do {
            let result = try await body(lease)
            lease.release()
            return result
        } catch {
            lease.release()
            throw error
        }
    }

    /// Lends a connection with an open transaction, and commits when `body` returns. On every other way out the
    /// transaction is rolled back: the connection goes back with it, and the pool resets it in the background, so a
    /// cancelled task has nothing to wait for.
    ///
    /// - Throws: ``PoolError``; ``PhasedError`` when BEGIN or COMMIT failed; whatever `body` throws.
    public func withTransaction<R>(
        begin: SQLStatement = SQLStatement("BEGIN", role: .begin), deadline: MonotonicInstant = .distantFuture,
        file: StaticString = #fileID, line: UInt = #line, _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        try await withConnection(deadline: deadline, file: file, line: line) { lease in
            try await lease.inTransaction(begin: begin, deadline: deadline, body)
        }
    }
}

extension Lease {
    /// BEGIN, `body`, COMMIT on this connection. When it throws, the transaction may still be open: release the lease.
    public func inTransaction<R>(
        begin: SQLStatement, deadline: MonotonicInstant, _ body: (borrowing Lease<D>) async throws -> R
    ) async throws -> R {
        do throws(DriverError) {
            _ = try await execute(begin, deadline: deadline)
        } catch {
            throw PhasedError(phase: .begin, error: error)
        }
        let result = try await body(self)
        do throws(DriverError) {
            _ = try await execute(.commit, deadline: deadline)
        } catch {
            throw PhasedError(phase: .commit, error: error)
        }
        return result
    }
}
