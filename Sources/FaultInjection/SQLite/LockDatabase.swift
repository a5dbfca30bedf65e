package import RigModel

/// Somebody else holds the write lock of the embedded database: a backup, a migration, another program.
///
/// Landed: a write beside the pool that does not wait gets SQLITE_BUSY, and a connection of the pool met the lock.
package struct LockDatabase: Fault {
    package static let shape = Shape(
        name: "lock-database", summary: "another process holds the write lock of the SQLite database", isLasting: true)

    package init(_ parameters: Parameters) {}

    package var needs: Set<StagePart> { [.file] }
    package var claims: Set<Claim> { [.databaseFile] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "write lock held by another process" }
    package func makeInjection(seed: UInt64) -> any Injection { FileProcessInjection(.holdWriteLock) }
}
