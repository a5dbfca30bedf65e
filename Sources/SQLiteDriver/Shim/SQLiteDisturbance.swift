import CSQLite
import RigModel

/// What SQLite asks of the file system, as far as a ``SQLiteShim`` looks at it.
package enum SQLiteCall: String, Sendable, CaseIterable {
    case open
    case read
    case write
    case sync
    /// The write lock of the database: what makes a transaction a writing one.
    case writeLock = "write-lock"
}

/// How a call fails.
package enum SQLiteFailure: Sendable, Equatable {
    /// As a defective disk: `SQLITE_IOERR_…`, and `SQLITE_CANTOPEN` for a file that cannot be opened.
    case ioError
    /// `SQLITE_FULL`.
    case diskFull
    /// `SQLITE_READONLY`.
    case readOnly

    /// What SQLite's own file system says then.
    func code(of call: SQLiteCall) -> Int32 {
        switch (self, call) {
        case (.diskFull, _): SQLITE_FULL
        case (.readOnly, _): SQLITE_READONLY
        case (.ioError, .open): SQLITE_CANTOPEN
        // The extended codes are macros with a shift, which Swift does not import.
        case (.ioError, .read): SQLITE_IOERR | 1 << 8
        case (.ioError, .write): SQLITE_IOERR | 3 << 8
        case (.ioError, .sync): SQLITE_IOERR | 4 << 8
        case (.ioError, .writeLock): SQLITE_IOERR | 15 << 8
        }
    }
}

/// What happens to some of the calls. A value.
package struct SQLiteDisturbance: Sendable, Equatable {
    package enum Effect: Sendable, Equatable {
        /// The call is not made; SQLite is told this.
        case fail(SQLiteFailure)
        /// The call is made that much later.
        case delay(Duration)
        /// Of reads of whole pages: the page that SQLite gets is damaged; the one on disk is not.
        case spoil
    }

    package var effect: Effect
    package var calls: Set<SQLiteCall>
    /// The first of the calls that it may happen to, from 1.
    package var first = 1
    /// Of the calls from ``first`` on.
    package var share = 1.0
    /// How often it may happen; `nil`: always.
    package var times: Int?
    /// Draws the share.
    package var seed: UInt64 = 0

    package init(_ effect: Effect, on calls: Set<SQLiteCall>) {
        self.effect = effect
        self.calls = calls
    }

    /// Whether somebody who met this, or waits for one who does, may be told this code.
    package func explains(_ code: String) -> Bool {
        let codes: [String] =
            switch effect {
            case .fail(.ioError): ["SQLITE_IOERR", "SQLITE_CANTOPEN"]
            case .fail(.diskFull): ["SQLITE_FULL"]
            case .fail(.readOnly): ["SQLITE_READONLY"]
            // A writer that is slow keeps the lock for long.
            case .delay: ["SQLITE_BUSY", "SQLITE_INTERRUPT"]
            case .spoil: ["SQLITE_CORRUPT", "SQLITE_NOTADB"]
            }
        return codes.contains { code.hasPrefix($0) }
    }
}

/// Which calls a disturbance has met, and the next decision. Pure.
struct DisturbanceProgress: Sendable {
    let disturbance: SQLiteDisturbance
    /// The calls that it might have happened to.
    private(set) var matches = 0
    private(set) var hits = 0
    private var generator: SeededGenerator

    init(_ disturbance: SQLiteDisturbance) {
        self.disturbance = disturbance
        generator = SeededGenerator(seed: disturbance.seed, stream: "sqlite-calls")
    }

    /// A call is about to be made.
    ///
    /// - Parameter readsPage: it reads a page as a whole.
    /// - Returns: whether it happens to this one.
    mutating func meets(_ call: SQLiteCall, readsPage: Bool) -> Bool {
        guard disturbance.calls.contains(call), disturbance.effect != .spoil || readsPage else { return false }
        matches += 1
        guard matches >= disturbance.first, hits < disturbance.times ?? .max else { return false }
        guard disturbance.share >= 1 || generator.nextUnit() < disturbance.share else { return false }
        hits += 1
        return true
    }
}
