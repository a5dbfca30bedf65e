import RigModel

/// The life of each connection: when it was opened and closed, and when it was lent out last. A mergeable fold; about 150 bytes
/// for each connection that was ever opened.
struct ConnectionLives: Sendable {
    /// The last time that an operation held it, as far as the client told.
    struct Lease: Sendable, Comparable {
        var leasedAt: Int64
        /// `nil`: it was never given back.
        var returnedAt: Int64?
        /// The completion of the operation.
        var at: FaultTimeline.Moment

        static func < (a: Lease, b: Lease) -> Bool { (a.leasedAt, a.at) < (b.leasedAt, b.at) }
    }

    struct Life: Sendable {
        var connection: Int64
        var pid: Int64?
        var opened: FaultTimeline.Moment?
        var closed: FaultTimeline.Moment?
        var reason: String?
        var lease: Lease?
        /// An operation that ended named it.
        var isUsed = false

        func isOpen(at time: Int64) -> Bool {
            guard let opened, opened.time <= time else { return false }
            return closed.map { $0.time > time } ?? true
        }
    }

    private var lives: [Int64: Life] = [:]

    mutating func observe(_ event: Event) {
        switch event.process {
        case .worker:
            guard let completion = event.completion else { return }
            for attempt in completion.attempts {
                if let connection = attempt.connection { change(Int64(connection)) { $0.isUsed = true } }
            }
            guard let connection = completion.connection else { return }
            change(Int64(connection)) { life in
                life.isUsed = true
                let lease = Lease(
                    leasedAt: completion.leasedAt ?? event.time,
                    returnedAt: completion.returnedAt ?? (completion.leasedAt == nil ? event.time : nil),
                    at: event.moment)
                life.lease = life.lease.map { max($0, lease) } ?? lease
            }
        case .pool:
            guard event.function.hasPrefix("connection-"), let connection = event.value["conn"]?.intValue else {
                return
            }
            if event.function == "connection-opened" {
                change(connection) { life in
                    var opened = event.moment
                    opened.time -= event.value.nanoseconds("age_ns") ?? 0
                    life.opened = opened
                    life.pid = event.value["pid"]?.intValue
                }
            } else if event.function == "connection-closed" {
                change(connection) { life in
                    life.closed = event.moment
                    life.reason = event.value["reason"]?.stringValue
                }
            }
        case .nemesis, .probe: break
        }
    }

    mutating func merge(_ other: ConnectionLives) {
        lives.merge(other.lives) { mine, theirs in
            var both = mine
            both.pid = mine.pid ?? theirs.pid
            both.opened = mine.opened ?? theirs.opened
            both.closed = mine.closed ?? theirs.closed
            both.reason = mine.reason ?? theirs.reason
            both.isUsed = mine.isUsed || theirs.isUsed
            if let lease = theirs.lease { both.lease = mine.lease.map { max($0, lease) } ?? lease }
            return both
        }
    }

    subscript(connection: Int64) -> Life? { lives[connection] }

    /// Those that the pool said it had opened, in the order of their numbers. O(n log n).
    var opened: [Life] { lives.values.filter { $0.opened != nil }.sorted { $0.connection < $1.connection } }

    /// Those that the pool said it had closed, in no particular order.
    var closed: [Life] { lives.values.filter { $0.closed != nil } }

    private mutating func change(_ connection: Int64, _ body: (inout Life) -> Void) {
        body(&lives[connection, default: Life(connection: connection)])
    }
}
