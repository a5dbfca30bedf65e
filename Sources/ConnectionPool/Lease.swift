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
            let limit = core.statementLimit(deadline)
            if core.isWatched, let watcher = core.watcher {
                return try await executeWatched(statement, deadline: limit, watcher)
            }
            return try await connection.execute(statement, deadline: limit)
        } catch {
            if error.provesLoss { noteLoss(error) }
            throw error
        }
    }

    /// Gives the connection back. What the protocol says about the session decides what becomes of it: idle, rolled back
    /// in the background, or closed. Never waits.
    @inlinable @inline(__always)
    public consuming func release() {
        isReleased = true
        if core.isWatched, let watcher = core.watcher { tellEnd(watcher, .released(connection.transactionStatus)) }
        core.release(handle, connection.transactionStatus, affinity: connection.affinity)
    }

    @inlinable
    deinit {
        if !isReleased {
            if core.isWatched, let watcher = core.watcher { tellEnd(watcher, .leaked) }
            core.noteLeak(handle)
        }
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
}
