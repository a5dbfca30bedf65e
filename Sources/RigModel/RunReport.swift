/// Everything a report shows about one run. Plain values: whoever renders them needs nothing else.
package struct RunReport: Sendable, Equatable {
    package static let schema = "chaosrig.report/1"

    package var scenario: String
    package var scenarioSummary: String
    package var seed: UInt64
    package var verdict: Verdict
    package var exitCode: Int
    /// Why the verdict or exit code is not the invariants' alone: interrupted, a fault that did not land, leftovers.
    package var notes: [String]
    /// RFC 3339, UTC.
    package var startedAt: String
    package var durationSeconds: Double
    /// Ordered names and values: versions, cores, kernel.
    package var environment: [JSONValue.Member]
    /// What was tested; passwords masked.
    package var target: String
    package var faults: [FaultRecord]
    package var invariants: [InvariantResult]
    package var workload: [OperationSummary]
    /// Open model: scheduled operations that were never started, because every client was busy too long.
    package var droppedOperations: Int
    /// The pool's metrics by their names in the documentation.
    package var pool: [JSONValue.Member]
    package var recovery: [RecoveryRecord]
    /// The command that runs the same again.
    package var replay: String

    package init(
        scenario: String, scenarioSummary: String, seed: UInt64, verdict: Verdict, exitCode: Int, notes: [String],
        startedAt: String, durationSeconds: Double, environment: [JSONValue.Member], target: String,
        faults: [FaultRecord], invariants: [InvariantResult], workload: [OperationSummary], droppedOperations: Int,
        pool: [JSONValue.Member], recovery: [RecoveryRecord], replay: String
    ) {
        self.scenario = scenario
        self.scenarioSummary = scenarioSummary
        self.seed = seed
        self.verdict = verdict
        self.exitCode = exitCode
        self.notes = notes
        self.startedAt = startedAt
        self.durationSeconds = durationSeconds
        self.environment = environment
        self.target = target
        self.faults = faults
        self.invariants = invariants
        self.workload = workload
        self.droppedOperations = droppedOperations
        self.pool = pool
        self.recovery = recovery
        self.replay = replay
    }
}

/// One injection of one fault.
package struct FaultRecord: Sendable, Equatable {
    package var kind: String
    /// For example `restart immediate, down for 2 s`.
    package var detail: String
    /// Seconds since the run's start.
    package var injectedAtSeconds: Double
    package var healedAtSeconds: Double?
    /// The fault was proven to have had its effect.
    package var landed: Bool
    /// The proof, or why there is none.
    package var evidence: JSONValue

    package init(
        kind: String, detail: String, injectedAtSeconds: Double, healedAtSeconds: Double?, landed: Bool,
        evidence: JSONValue
    ) {
        self.kind = kind
        self.detail = detail
        self.injectedAtSeconds = injectedAtSeconds
        self.healedAtSeconds = healedAtSeconds
        self.landed = landed
        self.evidence = evidence
    }
}

/// One kind of operation over the whole run.
package struct OperationSummary: Sendable, Equatable {
    package var kind: String
    package var ok: Int
    package var fail: Int
    package var info: Int
    /// Successful operations; open model: from the scheduled start.
    package var latency: LatencyHistogram
    /// Failures by class and code, most frequent first: `57P01 session-ended` → 12.
    package var failures: [(name: String, count: Int)]

    package init(
        kind: String, ok: Int, fail: Int, info: Int, latency: LatencyHistogram, failures: [(name: String, count: Int)]
    ) {
        self.kind = kind
        self.ok = ok
        self.fail = fail
        self.info = info
        self.latency = latency
        self.failures = failures
    }

    package static func == (a: OperationSummary, b: OperationSummary) -> Bool {
        a.kind == b.kind && a.ok == b.ok && a.fail == b.fail && a.info == b.info && a.latency == b.latency
            && a.failures.map(\.name) == b.failures.map(\.name) && a.failures.map(\.count) == b.failures.map(\.count)
    }
}

/// How the system came back after one fault. Seconds since the fault was healed; `nil`: never within the run.
package struct RecoveryRecord: Sendable, Equatable {
    package var fault: String
    package var firstOkSeconds: Double?
    package var fullPoolSeconds: Double?
    package var baselineThroughputSeconds: Double?
    package var baselineP95Seconds: Double?
    /// Operations that ended in `fail` or `info` between injection and recovery.
    package var lostOperations: Int

    package init(
        fault: String, firstOkSeconds: Double?, fullPoolSeconds: Double?, baselineThroughputSeconds: Double?,
        baselineP95Seconds: Double?, lostOperations: Int
    ) {
        self.fault = fault
        self.firstOkSeconds = firstOkSeconds
        self.fullPoolSeconds = fullPoolSeconds
        self.baselineThroughputSeconds = baselineThroughputSeconds
        self.baselineP95Seconds = baselineP95Seconds
        self.lostOperations = lostOperations
    }
}
