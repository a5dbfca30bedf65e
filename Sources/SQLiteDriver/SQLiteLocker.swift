import ConnectionPool
import RigModel
import Threading

/// Plays the somebody else who holds the write lock of a database file. Thread-safe.
///
/// It uses connections of its own beside the pool's, and opens them only while it needs them, so it keeps no descriptor
/// open between ``unlock()`` and the next ``lock()``. The file must exist. Its journal mode is left as it is.
package final class SQLiteLocker: Sendable {
    private enum State {
        /// Next: `locking`.
        case unlocked
        /// Next: `locked` or `unlocked`.
        case locking
        /// Next: `unlocked`.
        case locked(SQLiteConnection)
    }

    private let path: String
    private let fileSystem: String?
    private let limit: Duration
    private let patience: Duration
    private let state = Lock(State.unlocked)

    /// - Parameters:
    ///   - path: the database file.
    ///   - fileSystem: as ``SQLiteConfiguration/fileSystem``.
    ///   - limit: how long ``lock()`` waits while others hold the lock.
    ///   - patience: by how much any call may take longer, for opening the file and for its turn on a busy machine.
    package init(
        path: String, fileSystem: String? = nil, limit: Duration = .seconds(5), patience: Duration = .seconds(30)
    ) {
        self.path = path
        self.fileSystem = fileSystem
        self.patience = patience
        self.limit = limit
    }

    /// Takes the write lock and keeps it until ``unlock()``. Does nothing when it has it already.
    ///
    /// - Throws: `DriverError`, above all `.busy` when others kept the lock for the whole limit.
    package func lock() async throws {
        let begins = try state.withLock { state in
            switch state {
            case .locked: return false
            case .locking:
                throw DriverError(
                    .embedded(code: "SQLITE_MISUSE"), "lock() is already on its way in another task; wait for it",
                    requestSent: false)
            case .unlocked:
                state = .locking
                return true
            }
        }
        guard begins else { return }
        do {
            let connection = try await beginImmediate(busyTimeout: limit)
            state.withLock { $0 = .locked(connection) }
        } catch {
            state.withLock { $0 = .unlocked }
            throw error
        }
    }

    /// Gives the lock back and closes its connection. Does nothing when it has no lock.
    package func unlock() async throws {
        let held: SQLiteConnection? = state.withLock { state in
            guard case .locked(let connection) = state else { return nil }
            state = .unlocked
            return connection
        }
        // Closing rolls the transaction back, which frees the lock.
        await held?.close(deadline: deadline)
    }

    /// Tries to begin a write from a further connection without waiting, and rolls it back.
    ///
    /// - Returns: `SQLITE_OK`, or the code that stood in the way, such as `SQLITE_BUSY`; `SQLITE_INTERRUPT` when not even
    ///   that answer came in time.
    package func tryWrite() async -> String {
        do throws(DriverError) {
            await (try beginImmediate(busyTimeout: .zero)).close(deadline: deadline)
            return "SQLITE_OK"
        } catch {
            return error.cause.code ?? "SQLITE_INTERRUPT"
        }
    }

    /// Opening the file and waiting for a turn on a busy machine must not turn `.busy` into `.timedOut`.
    private var deadline: MonotonicInstant { .now.advanced(by: limit + patience) }

    /// A new connection inside a transaction that holds the write lock.
    private func beginImmediate(busyTimeout: Duration) async throws(DriverError) -> SQLiteConnection {
        let deadline = deadline
        let configuration = SQLiteConfiguration(
            path: path, journalMode: nil, busyTimeout: busyTimeout, createsIfMissing: false, fileSystem: fileSystem)
        let connection = try await SQLiteDriver(configuration).connect(deadline: deadline)
        do throws(DriverError) {
            _ = try await connection.execute(SQLStatement("BEGIN IMMEDIATE", role: .begin), deadline: deadline)
            return connection
        } catch {
            await connection.close(deadline: self.deadline)
            throw error
        }
    }
}
