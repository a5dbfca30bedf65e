package import ConnectionPool
import RigModel
package import Threading

/// One database file in WAL mode with one writer and many readers. Thread-safe.
///
/// Writers of this process wait for the one writing connection in the order they came, so they never meet `SQLITE_BUSY`;
/// readers never wait for them. Each closure runs as a whole on the threads of the group: one change of thread for it, and
/// none for its statements.
///
/// ```swift
/// let database = try await SQLiteDatabase.open(
///     SQLiteConfiguration(path: "/tmp/x/rig.db"), readers: 4, runtime: LoopRuntime(loop: loop), seed: 1)
/// try await database.write { writer in
///     _ = try await writer.execute(SQLStatement("INSERT INTO t VALUES ($1)", [.int(1)], role: .write))
/// }
/// let rows = try await database.read { try await $0.execute(SQLStatement("SELECT * FROM t", role: .read)).rows }
/// _ = await database.close()
/// ```
package final class SQLiteDatabase: Sendable {
    package typealias Body<R> = @Sendable (borrowing Lease<SQLiteDriver>) async throws -> R

    package let threads: SQLiteThreads
    /// One connection.
    package let writer: Pool<SQLiteDriver>
    /// Connections that can only read.
    package let readers: Pool<SQLiteDriver>

    private init(threads: SQLiteThreads, writer: Pool<SQLiteDriver>, readers: Pool<SQLiteDriver>) {
        self.threads = threads
        self.writer = writer
        self.readers = readers
    }

    /// Opens the file, creates it where the configuration lets it, and brings it into WAL mode. End it with
    /// ``close(within:)``.
    ///
    /// - Parameters:
    ///   - configuration: its journal mode and read-only flag are set here.
    ///   - readers: reading connections at the most.
    ///   - limits: of both pools, but for their sizes.
    ///   - runtime: time for both pools.
    ///   - seed: draws lifetimes and back-off.
    /// - Throws: ``PoolError`` when the file cannot be opened. Nothing is left open then.
    package static func open(
        _ configuration: SQLiteConfiguration, readers: Int, limits: PoolConfiguration = PoolConfiguration(),
        threads: SQLiteThreads = SQLiteThreads(), runtime: any PoolRuntime, seed: UInt64,
        deadline: MonotonicInstant = .distantFuture
    ) async throws -> SQLiteDatabase {
        var writing = configuration
        writing.journalMode = .wal
        writing.isReadOnly = false
        // A reader that sees the log's header change under it looks again with the write lock, for some microseconds.
        writing.busyTimeout = max(configuration.busyTimeout, .milliseconds(100))
        var reading = writing
        reading.isReadOnly = true
        var one = limits
        one.maxOpen = 1
        one.minIdle = min(1, limits.minIdle)
        var many = limits
        many.maxOpen = max(1, readers)
        let runtime = SQLiteRuntime(base: runtime, threads: threads)
        let writer = Pool(
            driver: SQLiteDriver(writing, threads: threads), configuration: one, runtime: runtime, seed: seed)
        do {
            // The writer makes the file, and its journal mode, before the first reader looks.
            try await writer.withConnection(deadline: deadline) { _ in }
        } catch {
            _ = await writer.close()
            throw error
        }
        let readers = Pool(
            driver: SQLiteDriver(reading, threads: threads), configuration: many, runtime: runtime, seed: seed &+ 1)
        return SQLiteDatabase(threads: threads, writer: writer, readers: readers)
    }

    /// Lends a reading connection. Each statement sees what was committed before it.
    ///
    /// - Throws: ``PoolError`` when there is no connection in time; whatever `body` throws.
    package func read<R: Sendable>(
        deadline: MonotonicInstant = .distantFuture, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping Body<R>
    ) async throws -> R {
        try await onThreads { [readers] in
            try await readers.withConnection(deadline: deadline, file: file, line: line, body)
        }
    }

    /// Lends a reading connection inside a transaction: all statements see the database as it was at the first of them.
    ///
    /// - Throws: as ``read(deadline:file:line:_:)``, and ``PhasedError`` for BEGIN and COMMIT.
    package func snapshot<R: Sendable>(
        deadline: MonotonicInstant = .distantFuture, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping Body<R>
    ) async throws -> R {
        try await onThreads { [readers] in
            try await readers.withTransaction(readOnly: true, deadline: deadline, file: file, line: line, body)
        }
    }

    /// Lends the writing connection inside a transaction, which is committed when `body` returns, and else rolled back.
    ///
    /// - Throws: ``PoolError`` when the writers before it take too long; ``PhasedError`` for BEGIN (`.busy` when another
    ///   process writes) and COMMIT; whatever `body` throws.
    package func write<R: Sendable>(
        deadline: MonotonicInstant = .distantFuture, file: StaticString = #fileID, line: UInt = #line,
        _ body: @escaping Body<R>
    ) async throws -> R {
        try await onThreads { [writer] in
            try await writer.withTransaction(deadline: deadline, file: file, line: line, body)
        }
    }

    private func onThreads<R: Sendable>(_ body: @concurrent @Sendable () async throws -> R) async throws -> R {
        try await withTaskExecutorPreference(threads, operation: body)
    }

    /// Closes the readers, then the writer, so that the last close can copy the log into the file and delete it.
    ///
    /// - Parameter limit: how long leases of each pool may take to come back; the configured close timeout where `nil`.
    /// - Returns: the number of leases that were cut.
    package func close(within limit: Duration? = nil) async -> Int {
        let reading = await readers.close(within: limit)
        return reading + (await writer.close(within: limit))
    }
}
