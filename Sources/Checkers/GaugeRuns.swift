import RigModel

/// How many connections the pool had open, over time: runs of samples with the same number. A mergeable fold over
/// `pool/gauges`; memory grows with the number of changes.
///
/// A pool that opens connections on demand is also whole with fewer than it once had, when nobody waits, one is idle, and
/// it has its `min_idle`: there is nothing that it should open. That needs `min_idle` in `pool/configured`.
struct GaugeRuns: Sendable {
    private struct Run: Sendable {
        var first: Int64
        var last: Int64
        var open: Int64
        var samples: Int
        /// Demand is met, whatever the number.
        var isWhole: Bool
    }

    private var minIdle: Int64?
    private var runs: [Run] = []

    mutating func observe(_ event: Event) {
        guard event.process == .pool else { return }
        if event.function == "configured" {
            let instances = min(max(event.value["instances"]?.intValue ?? 1, 1), 1_000_000)
            minIdle = event.value["min_idle"]?.intValue.map { min($0, 1_000_000_000) * instances }
        }
        guard event.function == "gauges", let open = event.value["open"]?.intValue else { return }
        let isWhole = meetsDemand(event.value, open: open)
        if let last = runs.indices.last, runs[last].open == open, runs[last].isWhole == isWhole {
            runs[last].last = event.time
            runs[last].samples += 1
        } else {
            runs.append(Run(first: event.time, last: event.time, open: open, samples: 1, isWhole: isWhole))
        }
    }

    private func meetsDemand(_ gauges: JSONValue, open: Int64) -> Bool {
        guard let minIdle, let waiting = gauges["waiting"]?.intValue, let idle = gauges["idle"]?.intValue else {
            return false
        }
        return waiting == 0 && idle > 0 && open >= minIdle
    }

    /// The pool's events are all in one part of the history, so the runs of two parts never overlap.
    mutating func merge(_ other: GaugeRuns) {
        minIdle = minIdle ?? other.minIdle
        runs = (runs + other.runs).sorted { ($0.first, $0.last, $0.open) < ($1.first, $1.last, $1.open) }
    }

    /// The median of the samples in a span of time (the lower one of two); `nil` when there was none. A run that lies
    /// only partly within counts by the share of its time.
    func medianOpen(in span: Range<Int64>) -> Int64? {
        var weights: [(open: Int64, weight: Double)] = []
        for run in runs where run.first < span.upperBound && run.last >= span.lowerBound {
            let inside = min(run.last, span.upperBound) - max(run.first, span.lowerBound)
            let whole = run.last - run.first
            let share = whole > 0 ? Double(inside) / Double(whole) : 1
            weights.append((run.open, max(1, share * Double(run.samples))))
        }
        weights.sort { $0.open < $1.open }
        let half = weights.reduce(0) { $0 + $1.weight } / 2
        var seen = 0.0
        for entry in weights {
            seen += entry.weight
            if seen >= half { return entry.open }
        }
        return nil
    }

    /// The first sample with at least `open` connections, or with its demand met, at or after `time` and before `end`.
    func firstTime(atLeast open: Int64, from time: Int64, before end: Int64) -> Int64? {
        for run in runs where (run.open >= open || run.isWhole) && run.last >= time {
            let at = max(run.first, time)
            return at < end ? at : nil
        }
        return nil
    }

    /// The first sample with fewer than `open` connections and unmet demand in a span of time.
    func firstDip(below open: Int64, in span: Range<Int64>) -> Int64? {
        for run in runs
        where run.open < open && !run.isWhole && run.last >= span.lowerBound && run.first < span.upperBound {
            return max(run.first, span.lowerBound)
        }
        return nil
    }
}
