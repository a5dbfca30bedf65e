import RigModel

/// Times in which the pool's gauges showed something that its background work should have ended: too few idle connections, or
/// too many that nobody used. A mergeable fold in bounded memory over the pool's events: the two hundred longest of each.
///
/// Told until `pool/closed`: a connection that goes with its pool does not end it, since another pool may follow (behaviour
/// `reopen`). Who asks cuts off what comes after ``end(after:)``.
struct GaugeSpans: Sendable {
    struct Span: Sendable, Comparable {
        var from: FaultTimeline.Moment
        var to: FaultTimeline.Moment
        /// At the last sample: connections that nobody held, and how many there should have been.
        var had: Int64
        var wanted: Int64
        /// Of the time between: where the gauges were not looked at.
        var unseen: Int64 = 0

        private var length: Int64 { to.time - from.time }

        /// Longest first.
        static func < (a: Span, b: Span) -> Bool {
            a.length != b.length ? a.length > b.length : a.from.index < b.from.index
        }
    }

    /// Fewer connections than `min_idle` that nobody held, although there was room for more.
    private(set) var tooFew = Smallest<Span>(limit: 200)
    /// More idle connections than `min_idle` while nobody held one or waited.
    private(set) var tooMany = Smallest<Span>(limit: 200)
    private(set) var lastSample: FaultTimeline.Moment?
    /// By pool, where several stand side by side.
    private var few: [Int: Span] = [:]
    private var many: [Int: Span] = [:]
    /// Of one pool, as all that follows.
    private var minIdle: Int64?
    private var maxOpen: Int64 = 0
    private var instances: Int64 = 1
    /// The gauges of each pool were told: where there are several, their sums say nothing.
    private(set) var tellsEach = false
    private var isClosed = false
    /// When connections were closed with their pool, or the pool itself was.
    private var endings: [Int64] = []

    mutating func observe(_ event: Event) {
        guard event.process == .pool else { return }
        switch event.function {
        case "gauges": if !isClosed { sample(event) }
        case "configured":
            instances = max(event.value["instances"]?.intValue ?? 1, 1)
            minIdle = event.value["min_idle"]?.intValue
            maxOpen = event.value["max_open"]?.intValue ?? 0
        case "connection-closed":
            if CloseWords.isEndOfPool(event.value["reason"]?.stringValue) { endings.append(event.time) }
        case "closed":
            isClosed = true
            endings.append(event.time)
        default: break
        }
    }

    /// The pool's events are all in one part of the history.
    mutating func merge(_ other: GaugeSpans) {
        if let theirs = other.lastSample, theirs > lastSample ?? FaultTimeline.Moment(index: -1, time: -1) {
            lastSample = theirs
        }
        for (pool, span) in other.few {
            if let mine = few.updateValue(span, forKey: pool) { tooFew.add(mine) }
        }
        for (pool, span) in other.many {
            if let mine = many.updateValue(span, forKey: pool) { tooMany.add(mine) }
        }
        tooFew.merge(other.tooFew)
        tooMany.merge(other.tooMany)
        minIdle = minIdle ?? other.minIdle
        maxOpen = max(maxOpen, other.maxOpen)
        instances = max(instances, other.instances)
        tellsEach = tellsEach || other.tellsEach
        isClosed = isClosed || other.isClosed
        endings += other.endings
    }

    /// With those that had not ended at the last sample.
    var finished: GaugeSpans {
        var all = self
        for span in few.values { all.tooFew.add(span) }
        for span in many.values { all.tooMany.add(span) }
        return all
    }

    /// Until when the gauges say how the pool goes on: its end after the load, the last sample where that was not told. What ended
    /// before was followed by another pool.
    func end(after load: Int64) -> Int64 { endings.filter { $0 >= load }.min() ?? lastSample?.time ?? 0 }

    private mutating func sample(_ event: Event) {
        lastSample = event.moment
        if let pools = event.value["each"]?.arrayValue {
            tellsEach = true
            for (number, gauges) in pools.enumerated() { sample(gauges, of: number, event) }
        } else if instances == 1 {
            sample(event.value, of: 0, event)
        }
    }

    private mutating func sample(_ gauges: JSONValue, of pool: Int, _ event: Event) {
        guard let minIdle, let open = gauges["open"]?.intValue, let inUse = gauges["in_use"]?.intValue else { return }
        // Being checked or reset counts as had: it is idle again soon.
        let free = open - inUse
        let wanted = min(minIdle, max(0, maxOpen - inUse))
        if free < wanted {
            few[pool] = extend(few[pool], event, had: free, wanted: wanted)
        } else if let span = few.removeValue(forKey: pool) {
            tooFew.add(span)
        }
        let isQuiet = inUse == 0 && gauges["waiting"]?.intValue == 0
        if isQuiet, free > minIdle {
            many[pool] = extend(many[pool], event, had: free, wanted: minIdle)
        } else if let span = many.removeValue(forKey: pool) {
            tooMany.add(span)
        }
    }

    private func extend(_ span: Span?, _ event: Event, had: Int64, wanted: Int64) -> Span {
        guard let span else { return Span(from: event.moment, to: event.moment, had: had, wanted: wanted) }
        let unseen = GaugeRhythm.unseen(from: span.to.time, to: event.time)
        return Span(from: span.from, to: event.moment, had: had, wanted: wanted, unseen: span.unseen + unseen)
    }
}
