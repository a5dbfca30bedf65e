import ConnectionPool
import Exposition
import RigModel
import Workloads

/// What a pool tells of itself, as metrics. What a pool does not tell is left out.
struct PoolFigures {
    /// `nil`: it says nothing of its state.
    private let gauges: PoolGauges?
    private let tellsConnecting: Bool
    private let members: [String: JSONValue]
    private let durations: PoolDurations?

    init(_ pool: any PoolUnderTest) {
        gauges = pool.tellsGauges ? pool.gauges : nil
        tellsConnecting = pool.tellsConnecting
        members = Dictionary(pool.metrics().map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        durations = pool.durations()
    }

    func add(to metrics: inout MetricCollection, _ floor: inout CounterFloor) {
        if let gauges {
            metrics.add(RigMetrics.poolOpen, [], gauges.open)
            metrics.add(RigMetrics.poolIdle, [], gauges.idle)
            metrics.add(RigMetrics.poolInUse, [], gauges.inUse)
            if tellsConnecting { metrics.add(RigMetrics.poolConnecting, [], gauges.connecting) }
            metrics.add(RigMetrics.poolWaiting, [], gauges.waiting)
        }
        for figure in RigMetrics.poolMembers {
            guard let value = members[figure.member] else { continue }
            if let flag = value.boolValue {
                metrics.add(figure.metric, figure.labels, flag ? 1 : 0)
            } else if let number = value.doubleValue {
                let value = number * figure.scale
                metrics.add(
                    figure.metric, figure.labels,
                    figure.metric.kind == .counter ? floor.raise(figure.member, to: value) : value)
            }
        }
        guard let durations else { return }
        for (metric, histogram) in [
            (RigMetrics.acquireWait, durations.acquireWait), (RigMetrics.leaseDuration, durations.lease),
            (RigMetrics.connectDuration, durations.connect),
        ] { metrics.add(metric, [], HistogramSnapshot(histogram, bounds: RigMetrics.shortBounds)) }
    }
}

/// Keeps counters from shrinking a little, as a pool's do when an acquire takes back what nobody fetched: Prometheus would
/// take that for a restart, and count everything twice. A real restart, from near nothing, passes. A value.
struct CounterFloor {
    private var highest: [String: Double] = [:]

    mutating func raise(_ name: String, to value: Double) -> Double {
        guard let before = highest[name], value < before, value > before / 2 else {
            highest[name] = value
            return value
        }
        return before
    }
}
