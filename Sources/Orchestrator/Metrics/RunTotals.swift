import Reporting
import RigModel

/// What the metrics count of a run, in a form that can be added up over the windows of a soak. A value.
struct RunTotals: Sendable {
    struct Kind: Sendable {
        var ok = 0
        var fail = 0
        var info = 0
        var latency = LatencyHistogram()
        var failures = FailureReasons()

        mutating func merge(_ other: Kind) {
            ok += other.ok
            fail += other.fail
            info += other.info
            latency.merge(other.latency)
            failures.merge(other.failures)
        }
    }

    private(set) var kinds: [String: Kind] = [:]
    private(set) var dropped = 0
    private(set) var faults: [String: FaultTally] = [:]
    /// Of windows that are over: the judge knows of no plan.
    var plannedFaults = 0
    /// How late operations started against their schedule.
    private(set) var lag = LatencyHistogram()
    private(set) var stalls = 0
    private(set) var stalledNanoseconds: Int64 = 0

    init() {}

    init(_ judge: Judge) {
        for operation in judge.workload.operations {
            kinds[operation.kind] = Kind(
                ok: operation.ok, fail: operation.fail, info: operation.info, latency: operation.latency,
                failures: FailureReasons(operation.failures))
        }
        dropped = judge.workload.droppedOperations
        for injection in judge.timeline.unordered { faults[injection.kind, default: FaultTally()].add(injection) }
        lag = judge.live?.lag ?? LatencyHistogram()
        stalls = judge.live?.stalls ?? 0
        stalledNanoseconds = judge.live?.stalledNanoseconds ?? 0
    }

    mutating func merge(_ other: RunTotals) {
        for (name, kind) in other.kinds { kinds[name, default: Kind()].merge(kind) }
        dropped += other.dropped
        plannedFaults += other.plannedFaults
        for (name, tally) in other.faults { faults[name, default: FaultTally()].merge(tally) }
        lag.merge(other.lag)
        stalls += other.stalls
        stalledNanoseconds += other.stalledNanoseconds
    }
}

/// The injections of one kind of fault.
struct FaultTally: Sendable {
    private(set) var injected = 0
    private(set) var landed = 0
    private(set) var missed = 0
    private(set) var healed = 0
    private(set) var healFailures = 0

    mutating func add(_ injection: FaultTimeline.Injection) {
        guard injection.inject != nil else { return }
        injected += 1
        if injection.landed == true { landed += 1 }
        if injection.landed == false { missed += 1 }
        if injection.healOK == true { healed += 1 }
        if injection.healOK == false { healFailures += 1 }
    }

    mutating func merge(_ other: FaultTally) {
        injected += other.injected
        landed += other.landed
        missed += other.missed
        healed += other.healed
        healFailures += other.healFailures
    }
}
