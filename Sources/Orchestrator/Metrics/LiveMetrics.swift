import Exposition
package import RigModel
import Threading

/// The numbers of what the rig does now, for whoever asks. Thread-safe.
///
/// Nothing is counted for it on the way of an operation: the numbers are those of the pool, and of the judge that reads the
/// history, and are put together when somebody asks. However often that is, they are put together ten times a second at most.
package final class LiveMetrics: Sendable {
    private static let keptFor = Duration.milliseconds(100)

    private struct State: Sendable {
        var run: WatchedRun?
        /// What the windows of a soak counted before this one.
        var earlier = RunTotals()
        /// Of each scenario, what its invariants came to last.
        var verdicts: [(scenario: String, results: [(name: String, verdict: Verdict)])] = []
        var kept: (metrics: MetricCollection, at: MonotonicInstant)?
    }

    private let state = Lock(State())
    /// Held while the numbers are put together, so that many askers do not all do it.
    private let turn = Lock(())
    private let process = ProcessFacts()

    package init() {}

    /// A run has begun; it ends the one before.
    func begin(_ run: WatchedRun) {
        state.withLock { state in
            state.run = run
            state.kept = nil
        }
    }

    /// The run is over: its history is gone.
    ///
    /// - Parameter continues: another window of the same soak comes, with the same pool: its counters go on from here.
    func end(continues: Bool = false) {
        let (ended, earlier) = state.withLock { ($0.run, $0.earlier) }
        let totals = continues ? ended?.totals(with: earlier) : nil
        state.withLock { state in
            state.kept = nil
            state.run = nil
            state.earlier = totals ?? RunTotals()
        }
    }

    /// What the invariants of a run, or of a window of one, came to. Replaces what they came to before.
    package func note(_ results: [InvariantResult], scenario: String) {
        let verdicts = results.map { (name: $0.name, verdict: $0.verdict) }
        state.withLock { state in
            if let known = state.verdicts.firstIndex(where: { $0.scenario == scenario }) {
                state.verdicts[known].results = verdicts
            } else {
                state.verdicts.append((scenario, verdicts))
            }
            state.kept = nil
        }
    }

    /// Everything, as of now or of a tenth of a second ago.
    func collect() -> MetricCollection {
        turn.withLock { _ in
            let (run, earlier, verdicts, kept) = state.withLock { ($0.run, $0.earlier, $0.verdicts, $0.kept) }
            let now = MonotonicInstant.now
            if let kept, kept.at.duration(to: now) < Self.keptFor { return kept.metrics }
            var metrics = MetricCollection()
            metrics.add(RigMetrics.buildInfo, [RigVersion.current], 1)
            run?.collect(into: &metrics, earlier: earlier)
            for (scenario, results) in verdicts {
                for result in results {
                    for verdict in [Verdict.valid, .invalid, .unknown] {
                        metrics.add(
                            RigMetrics.invariantVerdict, [scenario, result.name, verdict.rawValue],
                            result.verdict == verdict ? 1 : 0)
                    }
                }
            }
            process.add(to: &metrics)
            state.withLock { $0.kept = (metrics, .now) }
            return metrics
        }
    }
}
