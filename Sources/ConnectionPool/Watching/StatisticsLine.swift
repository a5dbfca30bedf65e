import RigModel
import Threading

/// The line of figures that a pool writes every now and then, `name=value` with spaces between. Pure.
///
/// Gauges are of the moment, `…_per_s` and counts of the interval, quantiles since the pool began.
public enum StatisticsLine {
    public static func text(
        before: PoolMetrics, now: PoolMetrics, interval: Duration, statements: StatementCacheCounts,
        cache: ResultCacheCounts? = nil
    ) -> String {
        var line = Line()
        let gauges = now.gauges
        line.add("open", gauges.open)
        line.add("idle", gauges.idle)
        line.add("in_use", gauges.inUse)
        line.add("connecting", gauges.connecting)
        line.add("waiting", gauges.waiting)
        line.add("max", now.maxOpenConnections)
        let seconds = interval.seconds
        line.add("acquired", now.acquireCount - before.acquireCount)
        line.add("acquired_per_s", seconds > 0 ? Double(now.acquireCount - before.acquireCount) / seconds : 0)
        line.add("waited", now.waitCount - before.waitCount)
        line.add("timeouts", now.acquireTimeouts - before.acquireTimeouts)
        line.add("cancelled", now.acquireCancelled - before.acquireCancelled)
        line.add("opened", now.connectsOpened - before.connectsOpened)
        line.add("connect_failures", now.connectFailures - before.connectFailures)
        line.add("lost", now.lostClosed - before.lostClosed)
        line.add("retries", now.retries - before.retries)
        line.add("leaks_suspected", now.leaksSuspected - before.leaksSuspected)
        let capacity = seconds * Double(now.maxOpenConnections)
        let leased = Double(now.leasedNanoseconds - before.leasedNanoseconds) / 1e9
        line.add("utilisation", capacity > 0 ? min(1, leased / capacity) : 0)
        line.add("wait_p50_us", now.acquireWait.nanoseconds(atQuantile: 0.5).map { Double($0) / 1e3 } ?? 0)
        line.add("wait_p99_us", now.acquireWait.nanoseconds(atQuantile: 0.99).map { Double($0) / 1e3 } ?? 0)
        let uses = statements.hits + statements.misses
        if uses > 0 { line.add("statement_reuse", Double(statements.hits) / Double(uses)) }
        if let cache { line.add("cache_hit_rate", cache.hitRate) }
        return line.text
    }

    private struct Line {
        var text = ""

        mutating func add(_ name: String, _ value: Int) { add(name, "\(value)") }

        /// Three decimals: enough for shares and rates, and short.
        mutating func add(_ name: String, _ value: Double) {
            add(name, "\((value * 1000).rounded() / 1000)")
        }

        private mutating func add(_ name: String, _ value: String) {
            text += (text.isEmpty ? "" : " ") + name + "=" + value
        }
    }
}
