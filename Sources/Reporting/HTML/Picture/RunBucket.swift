/// Operations that ended, by how.
struct OutcomeCounts: Sendable, Equatable {
    var ok = 0
    var fail = 0
    var info = 0

    var all: Int { ok + fail + info }

    mutating func merge(_ other: OutcomeCounts) {
        ok += other.ok
        fail += other.fail
        info += other.info
    }
}

/// Samples of one quantity.
struct GaugeSamples: Sendable, Equatable {
    private(set) var count = 0
    private(set) var sum = 0.0
    private(set) var max = 0.0
    /// Somebody looked and could not tell.
    private(set) var missed = 0

    mutating func add(_ value: Double) {
        count += 1
        sum += value
        max = Swift.max(max, value)
    }

    mutating func miss() { missed += 1 }

    mutating func merge(_ other: GaugeSamples) {
        missed += other.missed
        count += other.count
        sum += other.sum
        max = Swift.max(max, other.max)
    }

    var mean: Double? { count == 0 ? nil : sum / Double(count) }
    var greatest: Double? { count == 0 ? nil : max }
}

/// Everything that is sampled and not counted.
enum Gauge: Int, CaseIterable, Sendable {
    case open, idle, inUse, connecting, waiting, sessions, sockets, descriptors, memory
}

/// What happened in one stretch of the run's time.
struct RunBucket: TimeBucket {
    /// By the number of the kind in ``RunPicture/kinds``.
    private(set) var kinds: [OutcomeCounts] = []
    /// Of the successful ones; open model: from the scheduled start.
    var latency = CoarseHistogram()
    /// The longest wait for a connection in each operation that asked for one.
    var acquire = CoarseHistogram()
    private var gauges: [GaugeSamples] = []
    var opened = 0
    /// Closed because the pool wanted it.
    var retired = 0
    /// Closed because it was found dead or unusable.
    var lost = 0
    var connectFailed = 0

    init() {}

    subscript(kind number: Int) -> OutcomeCounts {
        get { number < kinds.count ? kinds[number] : OutcomeCounts() }
        set {
            while kinds.count <= number { kinds.append(OutcomeCounts()) }
            kinds[number] = newValue
        }
    }

    subscript(gauge: Gauge) -> GaugeSamples {
        get { gauges.isEmpty ? GaugeSamples() : gauges[gauge.rawValue] }
        set {
            if gauges.isEmpty { gauges = Array(repeating: GaugeSamples(), count: Gauge.allCases.count) }
            gauges[gauge.rawValue] = newValue
        }
    }

    var outcomes: OutcomeCounts { kinds.reduce(into: OutcomeCounts()) { $0.merge($1) } }

    mutating func merge(_ later: RunBucket) {
        for number in later.kinds.indices { self[kind: number].merge(later.kinds[number]) }
        latency.merge(later.latency)
        acquire.merge(later.acquire)
        if !later.gauges.isEmpty { for gauge in Gauge.allCases { self[gauge].merge(later[gauge]) } }
        opened += later.opened
        retired += later.retired
        lost += later.lost
        connectFailed += later.connectFailed
    }
}
