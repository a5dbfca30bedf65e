import RigModel

/// The gauge `open` against the pool's own events: opened less closed. A mergeable fold in constant memory; all that it reads
/// comes from one process, so in the order of the history.
struct OpenCount: Sendable {
    /// Neighbouring samples that all differ from the count.
    struct Difference: Comparable, Sendable {
        var from: Int64
        var to: Int64
        var firstIndex: Int
        var lastIndex: Int
        /// In the last sample.
        var told: Int64
        var counted: Int64
        /// Of the time between: where the gauges were not looked at.
        var unseen: Int64 = 0

        /// Longest first.
        static func < (a: Difference, b: Difference) -> Bool {
            (b.to - b.from, a.firstIndex) < (a.to - a.from, b.firstIndex)
        }
    }

    private(set) var samples = 0
    private(set) var opened = 0
    private var open: Int64 = 0
    private var running: Difference?
    private var ended = Smallest<Difference>(limit: 50)

    mutating func observe(_ event: Event) {
        switch event.function {
        // Of a pool that does not tell its connections their ends are not known.
        case "connection-opened" where event.value["first_seen"] != true:
            opened += 1
            open += 1
        case "connection-closed": open -= 1
        case "gauges":
            guard let told = event.value["open"]?.intValue else { return }
            samples += 1
            compare(told, event)
        default: break
        }
    }

    mutating func merge(_ other: OpenCount) {
        samples += other.samples
        opened += other.opened
        open += other.open
        running = running ?? other.running
        ended.merge(other.ended)
    }

    /// The longest ones, in the order of the history.
    var differences: [Difference] {
        var all = ended
        if let running { all.add(running) }
        return all.elements.sorted { $0.firstIndex < $1.firstIndex }
    }

    private mutating func compare(_ told: Int64, _ event: Event) {
        if told == open {
            if let running { ended.add(running) }
            running = nil
            return
        }
        var now = Difference(
            from: event.time, to: event.time, firstIndex: event.index, lastIndex: event.index, told: told,
            counted: open)
        if let running {
            (now.from, now.firstIndex) = (running.from, running.firstIndex)
            now.unseen = running.unseen + GaugeRhythm.unseen(from: running.to, to: event.time)
        }
        running = now
    }
}
