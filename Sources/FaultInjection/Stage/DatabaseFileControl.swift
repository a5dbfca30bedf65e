/// The file of an embedded database: what other processes do to it, and what the file system does to the pool's calls.
package protocol DatabaseFileControl: Sendable {
    /// Starts another process that works on the file. It has begun when this returns: it has the lock, or its snapshot.
    ///
    /// - Throws: when it did not get there within 10 s. Nothing is left of it then.
    func startProcess(_ work: FileWork) async throws -> any FileProcess
    /// Tries to write beside the pool without waiting.
    ///
    /// - Returns: the SQLite code, `SQLITE_OK` or for example `SQLITE_BUSY`.
    func tryWrite() async -> String
    /// Copies the log into the database as far as readers let it, without waiting for them.
    ///
    /// - Parameter limit: how long it waits for a checkpoint that somebody else makes.
    func checkpoint(within limit: Duration) async throws -> LogState
    /// The size of the log on disk.
    func logBytes() -> Int
    /// How often connections of the pool, and nobody else's, found the write lock taken, from the beginning of the run.
    func busyLocks() -> Int

    /// Begins to disturb the calls of the pool's connections on the file; it does when this returns.
    ///
    /// - Returns: a number for the other calls.
    func begin(_ disturbance: FileDisturbance) -> Int
    /// Ends it. Does nothing when it has ended.
    func end(_ disturbance: Int)
    /// The pool's calls that it might have happened to, and those that it did happen to; kept after its end.
    func effect(of disturbance: Int) -> (matches: Int, hits: Int)
    /// Tries to write as a new connection of the pool would, without waiting. Counts for no disturbance.
    func tryWriteAsPool() async -> String
    /// What the rig still does to the file that explains why a write is refused so, for people: faults may overlap.
    ///
    /// - Parameter own: disturbances of who asks, which explain nothing.
    /// - Returns: `nil` when nothing does.
    func explanation(of code: String, besides own: [Int]) -> String?

    /// Puts a copy of the database, which can only be read, in the place of the file, for connections from now on.
    func replace() async throws -> Replacement
    /// Descriptors of this process on the copy.
    func openOnReplacement() -> Int
    /// The original is back in its place.
    func restore() async throws -> Replacement
}

/// What another process does to the file.
package enum FileWork: Sendable, Equatable {
    /// Takes the write lock and keeps it.
    case holdWriteLock
    /// Takes the write lock again and again: every so often, for so long.
    case takeWriteLock(hold: Duration, every: Duration)
    /// Begins to read, and never ends.
    case read
}

/// Another process that works on the file.
package protocol FileProcess: Sendable {
    var pid: Int32 { get }
    var isRunning: Bool { get }
    /// How often it has got what it wanted.
    var turns: Int { get }
    /// Ends it and checks that it is gone. Idempotent.
    func end() async throws
}

/// The log of a database in WAL mode, in pages.
package struct LogState: Sendable, Equatable {
    package var pages: Int
    /// Of them those that are in the database as well; they can be overwritten.
    package var checkpointed: Int

    package init(pages: Int, checkpointed: Int) {
        self.pages = pages
        self.checkpointed = checkpointed
    }
}

/// Which file a name leads to.
package struct Replacement: Sendable, Equatable {
    /// Of the file that was made for the run, and of the one that the name leads to now.
    package var originalInode: UInt64
    package var inode: UInt64
    /// Descriptors of this process on the file that the name does not lead to.
    package var stale: Int

    package init(originalInode: UInt64, inode: UInt64, stale: Int) {
        self.originalInode = originalInode
        self.inode = inode
        self.stale = stale
    }
}

/// What happens to calls of SQLite on the file. A value.
package struct FileDisturbance: Sendable, Equatable {
    package enum Call: String, Sendable, CaseIterable {
        case open
        case read
        case write
        case sync
    }

    package enum Effect: Sendable, Equatable {
        /// The call fails with an input/output error.
        case ioError
        /// A write finds the disk full.
        case diskFull
        /// Whoever wants to write is told that the database can only be read.
        case readOnly
        case delay(Duration)
        /// Pages are damaged on their way to SQLite.
        case spoil
    }

    package var effect: Effect
    package var call: Call
    /// The first call that it may happen to, from 1.
    package var first = 1
    /// Of the calls from ``first`` on.
    package var share = 1.0
    /// How often it may happen; `nil`: always.
    package var times: Int?
    package var seed: UInt64 = 0

    package init(_ effect: Effect, on call: Call) {
        self.effect = effect
        self.call = call
    }
}
