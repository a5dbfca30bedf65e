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
        var endTime: Int64

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
        var openedIndex: Int?
        var closedIndex: Int?
        var lastUse: Use?
        var suspected: Report?
        var clearedIndex: Int?

        mutating func merge(_ other: Entry) {
            pid = pid ?? other.pid
            openedIndex = openedIndex ?? other.openedIndex
            closedIndex = closedIndex ?? other.closedIndex
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
            entries[Int64(connection), default: Entry()].lastUse = Use(
                process: event.process, function: event.function, outcome: event.kind.rawValue,
                beginIndex: ended.begun.index, endIndex: event.index, endTime: event.time)
            return
        }
        guard event.process == .pool, let connection = event.value["conn"]?.intValue else { return }
        switch event.function {
        case "connection-opened":
            entries[connection, default: Entry()].openedIndex = event.index
            entries[connection, default: Entry()].pid = event.value["pid"]?.intValue
        case "connection-closed": entries[connection, default: Entry()].closedIndex = event.index
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

    var openedCount: Int { entries.values.count { $0.openedIndex != nil } }
    var closedCount: Int { entries.values.count { $0.closedIndex != nil } }

    func lastUse(of connection: Int64) -> Use? { entries[connection]?.lastUse }

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
                guard let opened = entry.openedIndex, opened < index, entry.closedIndex ?? .max > index else {
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
