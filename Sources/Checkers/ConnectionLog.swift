import RigModel

/// What is known about each connection of the pool: when it was opened and closed, which operation used it last, what
/// the pool itself suspects. A mergeable fold; about 100 bytes for each connection that was ever opened.
struct ConnectionLog: Sendable {
    /// An operation that ended and named the connection.
    struct Use: Sendable, Comparable {
        var process: Event.Process
        var function: String
        var outcome: String
        var beginIndex: Int
        var endIndex: Int
        var beginTime: Int64
        var endTime: Int64
        /// When it was lent a connection that it never began to give back; `nil`: it did, or does not say.
        var keptSince: Int64?

        static func < (a: Use, b: Use) -> Bool { a.endIndex < b.endIndex }
    }

    /// The pool's own report of a lease.
    struct Report: Sendable, Comparable {
        var connection: Int64
        var pid: Int64?
        var site: String?
        var heldNanoseconds: Int64
        var index: Int
        var time: Int64

        static func < (a: Report, b: Report) -> Bool { a.index < b.index }
    }

    private struct Entry: Sendable {
        var pid: Int64?
        var opened: FaultTimeline.Moment?
        var closed: FaultTimeline.Moment?
        var reason: String?
        var lastUse: Use?
        var uses = 0
        var suspected: Report?
        var clearedIndex: Int?

        mutating func merge(_ other: Entry) {
            pid = pid ?? other.pid
            opened = opened ?? other.opened
            uses += other.uses
            closed = closed ?? other.closed
            reason = reason ?? other.reason
            lastUse = later(lastUse, other.lastUse)
            suspected = later(suspected, other.suspected)
            clearedIndex = later(clearedIndex, other.clearedIndex)
        }
    }

    private var entries: [Int64: Entry] = [:]
    private var pairing = OperationPairing()
    /// Leases that died without being released.
    private(set) var leaked = Smallest<Report>(limit: 100)

    mutating func observe(_ event: Event) {
        if let ended = pairing.observe(event) {
            guard let connection = event.completion?.connection else { return }
            entries[Int64(connection), default: Entry()].uses += 1
            entries[Int64(connection), default: Entry()].lastUse = Use(
                process: event.process, function: event.function, outcome: event.kind.rawValue,
                beginIndex: ended.begun.index, endIndex: event.index, beginTime: ended.begun.time, endTime: event.time,
                keptSince: event.completion?.returnedAt == nil ? event.completion?.leasedAt : nil)
            return
        }
        guard event.process == .pool, let connection = event.value["conn"]?.intValue else { return }
        switch event.function {
        case "connection-opened":
            var opened = event.moment
            opened.time -= event.value.nanoseconds("age_ns") ?? 0
            entries[connection, default: Entry()].opened = opened
            entries[connection, default: Entry()].pid = event.value["pid"]?.intValue
        case "connection-closed":
            let reason = event.value["reason"]?.stringValue
            entries[connection, default: Entry()].closed = event.moment
            entries[connection, default: Entry()].reason = reason
            // Nobody is left who could take back a suspicion.
            if reason == "process-ended" {
                entries[connection, default: Entry()].clearedIndex = event.index
            }
        case "leak-suspected": entries[connection, default: Entry()].suspected = report(event, connection)
        case "leak-cleared": entries[connection, default: Entry()].clearedIndex = event.index
        case "leaked": leaked.add(report(event, connection))
        default: break
        }
    }

    mutating func merge(_ other: ConnectionLog) {
        pairing.merge(other.pairing)
        leaked.merge(other.leaked)
        entries.merge(other.entries) { mine, theirs in
            var both = mine
            both.merge(theirs)
            return both
        }
    }

    var openedCount: Int { entries.values.count { $0.opened != nil } }
    var closedCount: Int { entries.values.count { $0.closed != nil } }

    func lastUse(of connection: Int64) -> Use? { entries[connection]?.lastUse }
    func uses(of connection: Int64) -> Int { entries[connection]?.uses ?? 0 }
    func opening(of connection: Int64) -> FaultTimeline.Moment? { entries[connection]?.opened }

    func closing(of connection: Int64) -> (at: FaultTimeline.Moment, reason: String)? {
        entries[connection].flatMap { entry in entry.closed.map { ($0, entry.reason ?? "no reason told") } }
    }

    /// The last connection of the pool that this server process served. O(connections).
    func connection(ofPID pid: Int64) -> Int64? {
        entries.filter { $0.value.pid == pid && $0.value.opened != nil }
            .max { ($0.value.opened?.index ?? 0) < ($1.value.opened?.index ?? 0) }?.key
    }

    /// Suspicions that nothing took back, in the order of the history.
    var openSuspicions: [Report] {
        entries.values.compactMap { entry in
            guard let suspected = entry.suspected, suspected.index > entry.clearedIndex ?? -1 else { return nil }
            return suspected
        }.sorted()
    }

    /// The server processes behind the connections that the pool had open at a place of the history.
    func pids(openAt index: Int) -> Set<Int64> {
        Set(
            entries.values.compactMap { entry in
                guard let opened = entry.opened?.index, opened < index, entry.closed?.index ?? .max > index else {
                    return nil
                }
                return entry.pid
            })
    }

    private func report(_ event: Event, _ connection: Int64) -> Report {
        Report(
            connection: connection, pid: event.value["pid"]?.intValue, site: event.value["site"]?.stringValue,
            heldNanoseconds: event.value.nanoseconds("held_ns") ?? 0, index: event.index, time: event.time)
    }
}

/// The greater of two, where there are two.
private func later<T: Comparable>(_ a: T?, _ b: T?) -> T? {
    guard let a, let b else { return a ?? b }
    return max(a, b)
}
