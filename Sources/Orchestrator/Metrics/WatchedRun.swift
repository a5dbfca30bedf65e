import Checkers
import Exposition
import Foundation
import Reporting
import RigModel
import ScenarioFile
import Threading
import Workloads

/// A run that goes on, for whoever looks at its numbers. Everything is read when somebody asks: until then it costs nothing.
final class WatchedRun: Sendable {
    private let scenario: Scenario
    private let seed: UInt64
    private let plannedFaults: Int
    private let history: HistoryWriter
    private let pool: any PoolUnderTest
    private let startedAt = Date()
    private let floor = Lock(CounterFloor())

    init(
        scenario: Scenario, seed: UInt64, plannedFaults: Int, history: HistoryWriter, pool: any PoolUnderTest
    ) {
        self.scenario = scenario
        self.seed = seed
        self.plannedFaults = plannedFaults
        self.history = history
        self.pool = pool
    }

    /// What is needed of the judge, copied while the history's writer waits.
    private struct Facts {
        var totals: RunTotals
        var inFlight: [String: Int]
        var phase: RunPhase?
        var violations: [(invariant: String, count: Int)]
        var outside: LiveTally

        init(_ judge: Judge) {
            totals = RunTotals(judge)
            inFlight = judge.kinds.counts.mapValues { $0.invoked - $0.ok - $0.fail - $0.info }
            phase = RunPhase.allCases.last { judge.timeline.begin(ofPhase: $0.rawValue) != nil }
            violations = judge.checkers.compactMap { checker in
                checker.violationsSoFar.map { (type(of: checker).shape.name, $0) }
            }
            outside = judge.live ?? LiveTally()
        }
    }

    /// What it has counted so far, and `earlier`.
    func totals(with earlier: RunTotals) -> RunTotals {
        var totals = history.readFold { ($0 as? Judge).map(RunTotals.init) } ?? RunTotals()
        totals.plannedFaults = plannedFaults
        totals.merge(earlier)
        return totals
    }

    /// - Parameter earlier: what was counted in windows before, when this is one of several.
    func collect(into metrics: inout MetricCollection, earlier: RunTotals) {
        let facts = history.readFold { ($0 as? Judge).map(Facts.init) }
        metrics.add(RigMetrics.runInfo, [scenario.name, String(seed)], 1)
        metrics.add(RigMetrics.runStart, [], startedAt.timeIntervalSince1970)
        floor.withLock { PoolFigures(pool).add(to: &metrics, &$0) }
        guard let facts else { return }
        var totals = facts.totals
        totals.merge(earlier)
        for phase in RunPhase.allCases {
            metrics.add(RigMetrics.runPhase, [phase.rawValue], phase == facts.phase ? 1 : 0)
        }
        metrics.add(RigMetrics.stalls, [], totals.stalls)
        metrics.add(RigMetrics.stalledSeconds, [], Double(totals.stalledNanoseconds) / 1e9)
        addWorkload(totals, facts.inFlight, to: &metrics)
        addFaults(totals.faults, now: facts.totals.faults, plannedBefore: earlier.plannedFaults, to: &metrics)
        for (invariant, count) in facts.violations { metrics.add(RigMetrics.invariantViolations, [invariant], count) }
        addOutside(facts.outside, to: &metrics)
    }

    private func addWorkload(
        _ totals: RunTotals, _ inFlight: [String: Int], to metrics: inout MetricCollection
    ) {
        for (name, kind) in totals.kinds.sorted(by: { $0.key < $1.key }) {
            metrics.add(RigMetrics.operations, [name, "ok"], kind.ok)
            metrics.add(RigMetrics.operations, [name, "fail"], kind.fail)
            metrics.add(RigMetrics.operations, [name, "info"], kind.info)
            for (reason, count) in kind.failures.counts.sorted(by: { $0.key < $1.key }) {
                metrics.add(RigMetrics.operationFailures, [name, reason], count)
            }
            metrics.add(
                RigMetrics.operationDuration, [name], HistogramSnapshot(kind.latency, bounds: RigMetrics.longBounds))
        }
        for (name, count) in inFlight.sorted(by: { $0.key < $1.key }) {
            metrics.add(RigMetrics.operationsInFlight, [name], count)
        }
        metrics.add(RigMetrics.operationsDropped, [], totals.dropped)
        if scenario.workload.rate != nil {
            metrics.add(RigMetrics.scheduledLag, [], HistogramSnapshot(totals.lag, bounds: RigMetrics.longBounds))
        }
    }

    /// - Parameter now: of this window alone: a fault of one that is over is active no more, whatever became of its heal.
    private func addFaults(
        _ tallies: [String: FaultTally], now: [String: FaultTally], plannedBefore: Int,
        to metrics: inout MetricCollection
    ) {
        metrics.add(RigMetrics.faultsPlanned, [], plannedBefore + plannedFaults)
        // Those to come have their zeros, so that a rate sees the first one.
        for kind in Set(scenario.faults.map(\.kind)).union(tallies.keys).sorted() {
            let tally = tallies[kind] ?? FaultTally()
            metrics.add(RigMetrics.faultsInjected, [kind], tally.injected)
            metrics.add(RigMetrics.faultsLanded, [kind], tally.landed)
            metrics.add(RigMetrics.faultsMissed, [kind], tally.missed)
            metrics.add(RigMetrics.faultsHealed, [kind], tally.healed)
            let current = now[kind] ?? FaultTally()
            metrics.add(RigMetrics.faultHealFailures, [kind], current.healFailures)
            metrics.add(RigMetrics.faultsActive, [kind], current.injected - current.healed)
        }
    }

    private func addOutside(_ live: LiveTally, to metrics: inout MetricCollection) {
        func add(_ metric: MetricDefinition, _ value: Int64?) {
            if let value { metrics.add(metric, [], Double(value)) }
        }
        add(RigMetrics.serverSessions, live.serverSessions)
        add(RigMetrics.clientSockets, live.clientSockets)
        add(RigMetrics.poolProcessDescriptors, live.poolDescriptors)
        add(RigMetrics.poolProcessMemory, live.poolResidentBytes)
    }
}
