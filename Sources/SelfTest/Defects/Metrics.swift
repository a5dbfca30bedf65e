import ConnectionPool
import Orchestrator
import RigModel
import Threading

/// Numbers that the pool tells of itself and that are not so.
enum Metrics {
    static let all: [Defect] = [
        Defect(
            "gauge-drifts", .metrics, "the gauge of open connections is one too high",
            breaks: "zero-leaked-connections", in: .killed, pool: { ChangedGauges { $0.open += 1 } }),
        Defect(
            "gauges-impossible", .metrics, "a connection is counted as idle and as in use at the same time",
            breaks: "honest-gauges", in: .killed.judging("honest-gauges: {}"),
            pool: { ChangedGauges { $0.idle += $0.inUse } }),
        Defect(
            "gauges-stop", .metrics, "the gauges stay as they were in the first second",
            breaks: "honest-gauges", in: .killed.judging("honest-gauges: {slack: 2s}"), pool: { StoppedGauges() }),
        Defect(
            "closes-not-told", .metrics, "the pool tells of each connection that it opens and of none that it closes",
            breaks: "honest-gauges", in: .aging.judging("honest-gauges: {slack: 2s}")
        ) {
            var decoration = PoolDecoration()
            decoration.observer = { ClosesUntold(base: $0) }
            return decoration
        },
        Defect(
            "counter-stuck", .metrics, "the counter of opened connections misses those that replace lost ones",
            breaks: "honest-counters", in: .killed.judging("honest-counters: {}"),
            pool: { ChangedCounter("connectsOpened") { min($0, 8) } }),
        Defect(
            "counter-doubled", .metrics, "each acquire is counted twice", breaks: "honest-counters",
            in: .killed.judging("honest-counters: {}"), short: true,
            pool: { ChangedCounter("acquireCount") { $0 * 2 } }),
    ]
}

/// Tells other gauges than there are.
struct ChangedGauges: PoolDefect {
    private let change: @Sendable (inout PoolGauges) -> Void

    init(_ change: @escaping @Sendable (inout PoolGauges) -> Void) { self.change = change }

    func gauges(_ honest: PoolGauges) -> PoolGauges {
        var gauges = honest
        change(&gauges)
        return gauges
    }
}

/// Tells the gauges of its first second for ever.
private struct StoppedGauges: PoolDefect {
    private let began = MonotonicInstant.now
    private let last = Memory(PoolGauges())

    func gauges(_ honest: PoolGauges) -> PoolGauges {
        last.withLock { last in
            if began.duration(to: .now) < .seconds(1) { last = honest }
            // One more than there ever are, as a counter that missed its turn.
            var told = last
            told.open += 1
            told.idle += 1
            return told
        }
    }
}

private struct ClosesUntold: PoolObserver {
    let base: any PoolObserver

    func poolConnected(_ handle: ConnectionHandle, backendPID: Int?, took: Duration) {
        base.poolConnected(handle, backendPID: backendPID, took: took)
    }

    func poolConnectFailed(_ error: DriverError) { base.poolConnectFailed(error) }

    func poolNoticed(_ notice: PoolNotice, backendPID: Int?) {
        if case .closing = notice { return }
        base.poolNoticed(notice, backendPID: backendPID)
    }
}

/// Tells another count than there is.
private struct ChangedCounter: PoolDefect {
    private let name: String
    private let change: @Sendable (Int64) -> Int64

    init(_ name: String, _ change: @escaping @Sendable (Int64) -> Int64) {
        self.name = name
        self.change = change
    }

    func metrics(_ honest: [JSONValue.Member]) -> [JSONValue.Member] {
        honest.map { member in
            guard member.key == name, let count = member.value.intValue else { return member }
            return JSONValue.Member(name, .int(change(count)))
        }
    }
}
