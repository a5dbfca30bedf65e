/// Counts the statements that wait for their answers: each Query, and all that one Sync ends, form a group that one
/// ReadyForQuery answers.
struct StatementGroups: Sendable {
    /// More than anybody sends ahead; beyond it groups melt into the last one, and the count is only about right.
    private static let limit = 65_536
    private struct Group: Sendable {
        var statements: Int32
        var isSync: Bool
        /// A Query behind messages of the extended protocol without a Sync.
        var isBehindUnsynced = false
    }

    private(set) var inFlight = 0
    private var unsynced: Int32 = 0
    /// Something of the extended protocol was sent behind the last Sync.
    private(set) var hasUnsynced = false
    // The oldest group has a place of its own, so that one statement at a time touches no array.
    private var first: Group?
    private var others: [Group] = []
    private var head = 0

    /// Groups without their ReadyForQuery.
    var count: Int { first == nil ? 0 : 1 + others.count - head }

    mutating func noteQuery() {
        inFlight &+= 1
        push(Group(statements: 1, isSync: false, isBehindUnsynced: hasUnsynced))
    }

    /// What the server works on ends with the Sync of an extended protocol.
    var beginsWithSync: Bool { first?.isSync == true }

    /// The server has sent an error. When it was about what stood in front of a Query without a Sync, the server skips the
    /// Query too. Whose error it was is not known here; a count that is too small heals, one that is too great never would.
    mutating func noteError() {
        while let group = first, group.isBehindUnsynced {
            inFlight -= Int(group.statements)
            first = nil
            takeNext()
            // A Query right behind the skipped one is skipped with it.
            if first?.isSync == false { first?.isBehindUnsynced = true }
        }
    }

    mutating func noteExecute() {
        inFlight &+= 1
        unsynced &+= 1
        hasUnsynced = true
    }

    mutating func noteUnsynced() { hasUnsynced = true }

    mutating func noteSync() {
        push(Group(statements: unsynced, isSync: true))
        unsynced = 0
        hasUnsynced = false
    }

    mutating func noteReady() {
        guard let group = first else { return }
        inFlight -= Int(group.statements)
        first = nil
        takeNext()
    }

    private mutating func takeNext() {
        guard head < others.count else { return }
        first = others[head]
        head += 1
        if head == others.count {
            others.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 1024 {
            others.removeFirst(head)
            head = 0
        }
    }

    /// The client has ended its COPY FROM STDIN. Where an Execute began it, the server has ignored each Sync until now.
    mutating func noteCopyEnded() {
        guard let group = first, group.isSync else { return }
        unsynced &+= group.statements
        for other in others[head...] where other.isSync { unsynced &+= other.statements }
        hasUnsynced = true
        others.removeAll(keepingCapacity: true)
        head = 0
        first = nil
    }

    private mutating func push(_ group: Group) {
        if first == nil {
            first = group
        } else if others.count - head < Self.limit {
            others.append(group)
        } else {
            others[others.count - 1].statements &+= group.statements
        }
    }
}
