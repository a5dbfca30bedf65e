import RigModel

/// What the pool's own events add up to where it tells its counters. A mergeable fold; all that it reads comes from one
/// process, so in the order of the history.
struct PoolEventCounts: Sendable {
    /// The counters as they were told, and what the events had added up to.
    struct Snapshot: Sendable {
        var at: String
        var index: Int
        var time: Int64
        var counters: JSONValue
        var counts: [String: Int]
        /// Of these, within the slack before and after.
        var before: [String: Int]
        var after: [String: Int] = [:]
        /// A pool had been closed and opened again: connects that were given up for that are events, but no failures.
        var wasReopened: Bool
    }

    /// The counter that counts this event; `nil`: none does.
    private static func counter(of event: Event) -> String? {
        switch event.function {
        case "connection-opened": event.value["age_ns"] == nil ? "connectsOpened" : nil
        case "connect-failed": "connectFailures"
        case "leak-suspected": "leaksSuspected"
        case "connection-closed":
            switch event.value["reason"]?.stringValue {
            case "max-idle": "maxIdleClosed"
            case "max-idle-time": "maxIdleTimeClosed"
            case "max-lifetime": "maxLifetimeClosed"
            case "lost", "unusable", "leaked": "lostClosed"
            default: nil
            }
        default: nil
        }
    }

    static let counters = [
        "connectsOpened", "connectFailures", "maxIdleClosed", "maxIdleTimeClosed", "maxLifetimeClosed", "lostClosed",
        "leaksSuspected",
    ]

    /// An event and its count are not made in one moment.
    private static let slack: Int64 = 1_000_000_000
    private var counts: [String: Int] = [:]
    private var recent: [(counter: String, time: Int64)] = []
    private(set) var snapshots: [Snapshot] = []
    /// The process that held the pool ended, and its counters with it.
    private(set) var wasLost = false
    private var wasClosed = false

    mutating func observe(_ event: Event) {
        guard event.process == .pool else { return }
        if let counter = Self.counter(of: event) { return note(counter, event.time) }
        // Opened before this history: no count, but the pool tells its connections.
        if event.function == "connection-opened" { counts["connectsOpened", default: 0] += 0 }
        if event.function == "process-ended" {
            wasLost = true
            counts = [:]
            recent = []
        }
        if event.function == "closed" { wasClosed = true }
        guard event.function == "metrics", let at = event.value["at"]?.stringValue,
            let told = event.value["counters"]
        else { return }
        let near = recent.filter { $0.time >= event.time - Self.slack }
        snapshots.append(
            Snapshot(
                at: at, index: event.index, time: event.time, counters: told, counts: counts,
                before: Dictionary(near.map { ($0.counter, 1) }, uniquingKeysWith: +), wasReopened: wasClosed))
    }

    /// One of the two has seen nothing.
    mutating func merge(_ other: PoolEventCounts) {
        counts.merge(other.counts, uniquingKeysWith: +)
        recent += other.recent
        snapshots += other.snapshots
        wasLost = wasLost || other.wasLost
        wasClosed = wasClosed || other.wasClosed
    }

    private mutating func note(_ counter: String, _ time: Int64) {
        counts[counter, default: 0] += 1
        for index in snapshots.indices where time <= snapshots[index].time + Self.slack {
            snapshots[index].after[counter, default: 0] += 1
        }
        recent.append((counter, time))
        if recent.count >= 256 {
            recent.removeAll { $0.time < time - Self.slack }
            if recent.count >= 256 { recent.removeFirst(128) }
        }
    }
}
