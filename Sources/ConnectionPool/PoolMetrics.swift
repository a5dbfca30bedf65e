public import RigModel
import Threading

/// How many connections are in which state, at one moment.
public struct PoolGauges: Sendable, Equatable, CustomStringConvertible {
    /// Idle, in use, being checked or being reset.
    public var open = 0
    public var idle = 0
    public var inUse = 0
    public var connecting = 0
    public var waiting = 0

    public init() {}

    public var description: String {
        "open \(open), idle \(idle), in use \(inUse), connecting \(connecting), waiting \(waiting)"
    }
}

/// Counters since the pool began, under the names that people know from other pools.
public struct PoolMetrics: Sendable, Equatable {
    public var gauges = PoolGauges()
    public var maxOpenConnections = 0
    /// Acquires that were served.
    public var acquireCount = 0
    /// Of these the ones that had to wait, and for how long in sum.
    public var waitCount = 0
    public var waitDuration = Duration.zero
    public var acquireTimeouts = 0
    public var acquireCancelled = 0
    public var connectsOpened = 0
    public var connectFailures = 0
    public var maxIdleClosed = 0
    public var maxIdleTimeClosed = 0
    public var maxLifetimeClosed = 0
    /// Connections found dead, out of step or leaked.
    public var lostClosed = 0
    public var healthChecksOK = 0
    public var healthChecksFailed = 0
    public var resets = 0
    public var leaksSuspected = 0
    /// Times that the circuit breaker opened, and whether it is open now.
    public var breakerOpened = 0
    public var isBreakerOpen = false
    public var isSuspended = false
    public var retries = 0
    /// Time that connections were in use, summed, for the utilisation.
    public var leasedNanoseconds: UInt64 = 0
    public var acquireWait = LatencyHistogram()
    public var leaseDuration = LatencyHistogram()
    public var connectTime = LatencyHistogram()

    public init() {}

    /// Names and values in the order of the documentation; times in milliseconds.
    ///
    /// - Parameter lifetime: how long the pool has existed, for the utilisation.
    public func members(lifetime: Duration) -> [JSONValue.Member] {
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
            .init("leaksSuspected", JSONValue(leaksSuspected)),
            .init("breakerOpened", JSONValue(breakerOpened)), .init("breakerOpen", .bool(isBreakerOpen)),
            .init("suspended", .bool(isSuspended)), .init("retries", JSONValue(retries)),
            .init("utilisation", .double(capacity > 0 ? Double(leasedNanoseconds) / 1e9 / capacity : 0)),
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
