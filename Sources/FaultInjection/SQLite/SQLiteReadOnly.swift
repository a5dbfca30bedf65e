package import RigModel

/// The SQLite database can only be read for a time, as after a change of its mode, its mount or its owner: whoever begins to
/// write gets SQLITE_READONLY, already at BEGIN IMMEDIATE. A change of mode itself has no effect on files that are open, nor on root.
///
/// Landed: connections of the pool that were refused.
package struct SQLiteReadOnly: Fault {
    package static let shape = Shape(
        name: "sqlite-read-only", summary: "the SQLite database can only be read: writes get SQLITE_READONLY",
        isLasting: true)

    package init(_ parameters: Parameters) {}

    package var needs: Set<StagePart> { [.file] }
    package var ownDuration: Duration? { nil }
    package var detail: String { "read-only" }
    package func makeInjection(seed: UInt64) -> any Injection {
        FileCallsInjection([FileDisturbance(.readOnly, on: .write)], provenBy: "writers that were refused")
    }
}
