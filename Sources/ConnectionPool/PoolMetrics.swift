package import RigModel
import Threading

/// How many connections are in which state, at one moment.
package struct PoolGauges: Sendable, Equatable, CustomStringConvertible {
    /// Idle, in use, being checked or being reset.
    package var open = 0
    package var idle = 0
    package var inUse = 0
    package var connecting = 0
    package var waiting = 0

    package init() {}

    package var description: String {
        "open \(open), idle \(idle), in use \(inUse), connecting \(connecting), waiting \(waiting)"
    }
}

/// Counters since the pool began, under the names that people know from other pools.
package struct PoolMetrics: Sendable, Equatable {
    package var gauges = PoolGauges()
    package var maxOpenConnections = 0
    /// Acquires that were served.
    package var acquireCount = 0
    /// Of these the ones that had to wait, and for how long in sum.
    package var waitCount = 0
    package var waitDuration = Duration.zero
    package var acquireTimeouts = 0
    package var acquireCancelled = 0
    package var connectsOpened = 0
    package var connectFailures = 0
    package var maxIdleClosed = 0
    package var maxIdleTimeClosed = 0
    package var maxLifetimeClosed = 0
    /// Connections found dead, out of step or leaked.
    package var lostClosed = 0
    package var healthChecksOK = 0
    package var healthChecksFailed = 0
    package var resets = 0
    package var leaksSuspected = 0
    package var retries = 0
    /// Time that connections were in use, summed, for the utilisation.
    package var leasedDuration = Duration.zero
    package var acquireWait = LatencyHistogram()
    package var leaseDuration = LatencyHistogram()
    package var connectTime = LatencyHistogram()

    package init() {}

    /// Names and values in the order of the documentation; times in milliseconds.
    ///
    /// - Parameter lifetime: how long the pool has existed, for the utilisation.
    package func members(lifetime: Duration) -> [JSONValue.Member] {
        let capacity = lifetime.seconds * Double(maxOpenConnections)
        return [
            .init("maxOpenConnections", JSONValue(maxOpenConnections)),
            .init("openConnections", JSONValue(gauges.open)), .init("inUse", JSONValue(gauges.inUse)),
            .init("idle", JSONValue(gauges.idle)), .init("connecting", JSONValue(gauges.connecting)),
            .init("waiters", JSONValue(gauges.waiting)), .init("acquireCount", JSONValue(acquireCount)),
            .init("waitCount", JSONValue(waitCount)), .init("waitDuration_ms", .double(waitDuration.milliseconds)),
            .init("acquireTimeouts", JSONValue(acquireTimeouts)),
            .init("acquireCancelled", JSONValue(acquireCancelled)),
            .init("connectsOpened", JSONValue(connectsOpened)), .init("connectFailures", JSONValue(connectFailures)),
            .init("maxIdleClosed", JSONValue(maxIdleClosed)),
            .init("maxIdleTimeClosed", JSONValue(maxIdleTimeClosed)),
            .init("maxLifetimeClosed", JSONValue(maxLifetimeClosed)), .init("lostClosed", JSONValue(lostClosed)),
            .init("healthChecksOK", JSONValue(healthChecksOK)),
            .init("healthChecksFailed", JSONValue(healthChecksFailed)), .init("resets", JSONValue(resets)),
            .init("leaksSuspected", JSONValue(leaksSuspected)), .init("retries", JSONValue(retries)),
            .init("utilisation", .double(capacity > 0 ? leasedDuration.seconds / capacity : 0)),
            .init("acquireWait_ms", Self.quantiles(acquireWait)),
            .init("leaseDuration_ms", Self.quantiles(leaseDuration)),
            .init("connectTime_ms", Self.quantiles(connectTime)),
        ]
    }

    private static func quantiles(_ histogram: LatencyHistogram) -> JSONValue {
        func at(_ quantile: Double) -> JSONValue {
            JSONValue(histogram.nanoseconds(atQuantile: quantile).map { Double($0) / 1e6 })
        }
        return ["count": JSONValue(histogram.count), "p50": at(0.5), "p99": at(0.99), "max": at(1)]
    }
}
