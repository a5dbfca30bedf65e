import CLibPQ
import ConnectionPool
import RigModel

/// Statements that travel together in libpq's pipeline mode: what was sent, and which answer comes next. The session drives
/// it with its lock held, see ``Session/advance(_:)``.
struct Pipeline {
    /// A message, or a group of messages, that the server answers in its turn.
    enum Command {
        /// Frees a statement that the cache has dropped. In front of a Sync of its own, so that its failure harms nobody.
        case deallocate
        case prepare(name: String, item: Int)
        case run(item: Int, name: String?)
        /// The items in front of `end` are settled by it.
        case sync(end: Int)
    }

    let items: [SQLStatement]
    let atomicity: BatchAtomicity
    var ledger: BatchLedger
    /// What the cache has already said about the first item.
    var firstPlan: StatementCache.Plan?
    /// The next item to send.
    var next = 0
    /// How many commands were answered.
    var answered = 0
    var commands: [Command] = []
    /// An answer has come for the command whose turn it is; the end of its answers not yet.
    var isAnswering = false
    /// About how many bytes libpq holds that it has not been told to write.
    var unwrittenBytes = 0
    /// The kernel did not take all that there is.
    var isBlocked = false
    /// What each prepared statement of an item is called, where it failed to be there.
    var lost: [Int] = []
    /// Why an earlier item could not prepare a statement that a later one relied on.
    var unprepared: [String: ServerMessage] = [:]
    var hasBegun = false
    var end: ReplyLedger.End?

    init(items: [SQLStatement], atomicity: BatchAtomicity, firstPlan: StatementCache.Plan? = nil) {
        self.items = items
        self.atomicity = atomicity
        self.firstPlan = firstPlan
        ledger = BatchLedger(roles: items.map(\.role), atomicity: atomicity)
        commands.reserveCapacity(items.count + (atomicity == .independent ? items.count : 1) + 4)
    }

    var isSent: Bool { next == items.count }
    var isAnswered: Bool { isSent && answered == commands.count }
}
