import RigModel

/// How throughput and open connections went around one fault, from a little before it to a while after its heal.
struct RecoveryCurve: Sendable {
    struct Point: TimeBucket {
        var ok = 0
        var notOK = 0
        var open = GaugeSamples()

        mutating func merge(_ later: Point) {
            ok += later.ok
            notOK += later.notOK
            open.merge(later.open)
        }
    }

    let fault: Int
    let kind: String
    /// Nanoseconds since the run's start.
    let injectedAt: Int64
    var healedAt: Int64?
    var series: BucketSeries<Point>
}

/// The curves of the first faults of a run. A fold; at most ``limit`` curves of 256 points each.
struct RecoveryCurves: Sendable {
    static let limit = 48
    /// Before the injection, and after the heal.
    private static let before: Int64 = 3_000_000_000
    private static let after: Int64 = 12_000_000_000
    private static let width: Int64 = 100_000_000

    private(set) var curves: [RecoveryCurve] = []
    /// Injections that have no curve any more.
    private(set) var notKept = 0
    /// The last few seconds, for the next fault.
    private var recent: [(time: Int64, point: RecoveryCurve.Point)] = []
    private var phase = ""
    private var steadyOK = 0
    private var steadyOpen = GaugeSamples()
    private var steadyBegin: Int64?
    private var steadyEnd: Int64?
    /// The clients stop, and what ends now says nothing about a recovery.
    private var isOver = false

    /// Of the phase `steady`: successes a second; `nil` where there was none.
    var baselineOKPerSecond: Double? {
        guard let begin = steadyBegin, let end = steadyEnd, end > begin, steadyOK > 0 else { return nil }
        return Double(steadyOK) * 1e9 / Double(end - begin)
    }
    /// Of the phase `steady`: open connections.
    var baselineOpen: Double? { steadyOpen.mean.flatMap { $0 > 0 ? $0 : nil } }

    mutating func observe(_ fact: NemesisFact, at time: Int64) {
        switch fact {
        case .phase(let name):
            if phase == "steady" { steadyEnd = time }
            if name == "steady" { steadyBegin = time }
            phase = name
            if name == "drain" { isOver = true }
        case .inject(let fault, let kind, _): begin(fault, kind, at: time)
        case .heal(let fault, _, _, _, _):
            if let index = curves.firstIndex(where: { $0.fault == fault }) { curves[index].healedAt = time }
        case .landed: break
        }
    }

    mutating func operation(isOK: Bool, at time: Int64) {
        if phase == "steady", isOK { steadyOK += 1 }
        change(at: time) { if isOK { $0.ok += 1 } else { $0.notOK += 1 } }
    }

    mutating func open(_ count: Double, at time: Int64) {
        if phase == "steady" { steadyOpen.add(count) }
        change(at: time) { $0.open.add(count) }
    }

    private mutating func begin(_ fault: Int, _ kind: String, at time: Int64) {
        guard curves.count < Self.limit else {
            notKept += 1
            return
        }
        let start = max(time - Self.before, 0)
        var series = BucketSeries<RecoveryCurve.Point>(start: start, width: Self.width, limit: 256)
        for (then, point) in recent where then >= start { series[then].merge(point) }
        curves.append(RecoveryCurve(fault: fault, kind: kind, injectedAt: time, healedAt: nil, series: series))
    }

    private mutating func change(at time: Int64, _ body: (inout RecoveryCurve.Point) -> Void) {
        if isOver { return }
        let slot = time / Self.width * Self.width
        if recent.last?.time == slot {
            body(&recent[recent.count - 1].point)
        } else {
            var point = RecoveryCurve.Point()
            body(&point)
            recent.append((slot, point))
            if recent.count > 2 * Int(Self.before / Self.width) { recent.removeFirst(Int(Self.before / Self.width)) }
        }
        // Phases and heals come in the order of time: a curve that is over stays so.
        for index in curves.indices where curves[index].healedAt.map({ time < $0 + Self.after }) ?? true {
            body(&curves[index].series[time])
        }
    }
}
