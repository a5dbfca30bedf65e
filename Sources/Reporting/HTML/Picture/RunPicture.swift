package import RigModel

/// What the plots of a report need, from the history alone. A fold over whole histories in order; its memory does not grow with the
/// number of events, but with the number of injections (and with operations in flight).
package struct RunPicture: Sendable {
    /// A thread of the rig, or of the pool's process, woke late.
    struct Stall: Sendable, Equatable {
        /// When it woke, nanoseconds since the run's start.
        var time: Int64
        var lateNanoseconds: Int64
        /// Whose thread it was; `nil`: the rig's.
        var whose: String?
    }

    struct Phase: Sendable, Equatable {
        var name: String
        var begin: Int64
    }

    /// At first; a run of up to a hundred seconds keeps it.
    static let bucketNanoseconds: Int64 = 250_000_000
    private static let bucketLimit = 400
    /// More kinds of operations than this are one kind, `others`.
    private static let kindLimit = 10
    static let otherKinds = "others"
    private static let stallLimit = 200

    private(set) var series = BucketSeries<RunBucket>(width: bucketNanoseconds, limit: bucketLimit)
    /// Names of operations, in the order of their first end.
    private(set) var kinds: [String] = []
    private(set) var timeline = FaultTimeline()
    private(set) var phases: [Phase] = []
    /// The longest ones.
    private(set) var stalls: [Stall] = []
    private(set) var recovery = RecoveryCurves()
    /// What all pools together may have open; `nil` when there is no limit.
    private(set) var maxOpen: Int?
    private(set) var acquireTimeoutNanoseconds: Int64?
    private(set) var eventCount = 0
    private var pairing = OperationPairing()

    package init() {}

    /// Of the last event, in nanoseconds since the run's start.
    var duration: Int64 { max(timeline.lastTime, 1) }

    package mutating func observe(_ event: Event) {
        eventCount += 1
        timeline.observe(event)
        switch event.process {
        case .worker: observeWorker(event)
        case .pool: observePool(event)
        case .probe: observeProbe(event)
        case .nemesis:
            guard let fact = NemesisFact(event) else { return }
            if case .phase(let name) = fact { phases.append(Phase(name: name, begin: event.time)) }
            recovery.observe(fact, at: event.time)
        }
    }

    private mutating func observeWorker(_ event: Event) {
        guard let ended = pairing.observe(event) else { return }
        let kind = number(ofKind: event.function)
        let isOK = event.kind == .ok
        series[event.time].count(event, kind: kind, latency: ended.latencyNanoseconds)
        recovery.operation(isOK: isOK, at: event.time)
    }

    private mutating func observePool(_ event: Event) {
        let value = event.value
        switch event.function {
        case "gauges":
            for (gauge, name) in Self.poolGauges { sample(gauge, value[name], at: event.time) }
            if let open = value["open"]?.doubleValue { recovery.open(open, at: event.time) }
        case "connection-opened": series[event.time].opened += 1
        case "connection-closed":
            let isLoss = value["reason"]?.stringValue.map(LaneEvent.isLoss) ?? false
            if isLoss { series[event.time].lost += 1 } else { series[event.time].retired += 1 }
        case "connect-failed": series[event.time].connectFailed += 1
        case "configured":
            let instances = max(value["instances"]?.intValue ?? 1, 1)
            maxOpen = value["max_open"]?.intValue.map { Int(clamping: $0.multipliedReportingOverflow(by: instances).0) }
            acquireTimeoutNanoseconds = value["acquire_timeout_ns"]?.intValue
        default: break
        }
    }

    private mutating func observeProbe(_ event: Event) {
        switch event.function {
        case "sample": for (gauge, name) in Self.samples { sample(gauge, event.value[name], at: event.time) }
        case "stall":
            guard let told = event.value["late_ns"]?.intValue else { return }
            let late = min(max(told, 0), event.time)
            stalls.append(Stall(time: event.time, lateNanoseconds: late, whose: event.value["of"]?.stringValue))
            if stalls.count > Self.stallLimit * 2 { keepLongestStalls() }
        default: break
        }
    }

    private static let poolGauges: [(Gauge, String)] = [
        (.open, "open"), (.idle, "idle"), (.inUse, "in_use"), (.connecting, "connecting"), (.waiting, "waiting"),
    ]
    private static let samples: [(Gauge, String)] = [
        (.sessions, "server_sessions"), (.sockets, "client_sockets"), (.descriptors, "descriptors"),
        (.memory, "rss_bytes"),
    ]

    private mutating func sample(_ gauge: Gauge, _ value: JSONValue?, at time: Int64) {
        switch value {
        case nil: return
        case .some(let value):
            if let number = value.doubleValue { series[time][gauge].add(number) } else { series[time][gauge].miss() }
        }
    }

    private mutating func number(ofKind name: String) -> Int {
        if let known = kinds.firstIndex(of: name) { return known }
        if kinds.count < Self.kindLimit {
            kinds.append(kinds.count == Self.kindLimit - 1 ? Self.otherKinds : name)
            return kinds.count - 1
        }
        return kinds.count - 1
    }

    private mutating func keepLongestStalls() {
        stalls = stalls.sorted { $0.lateNanoseconds > $1.lateNanoseconds }.prefix(Self.stallLimit).sorted {
            $0.time < $1.time
        }
    }
}

extension RunBucket {
    fileprivate mutating func count(_ event: Event, kind: Int, latency nanoseconds: Int64) {
        switch event.kind {
        case .ok:
            self[kind: kind].ok += 1
            latency.add(nanoseconds: nanoseconds)
        case .fail: self[kind: kind].fail += 1
        case .info: self[kind: kind].info += 1
        case .invoke, .end: return
        }
        if let wait = event.completion?.acquireNanoseconds { acquire.add(nanoseconds: wait) }
    }
}
