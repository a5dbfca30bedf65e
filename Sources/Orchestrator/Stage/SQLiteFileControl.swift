import FaultInjection
import SQLiteDriver

/// The database file as faults see it.
struct SQLiteFileControl: DatabaseFileControl {
    let locker: SQLiteLocker

    func lock() async throws { try await locker.lock() }
    func unlock() async throws { try await locker.unlock() }
    func tryWrite() async -> String { await locker.tryWrite() }
}
