/// Everything a report shows about one run. Plain values: whoever renders them needs nothing else.
public struct RunReport: Sendable, Equatable {
    public static let schema = "chaosrig.report/1"

    public var scenario: String
    public var scenarioSummary: String
    public var seed: UInt64
    public var verdict: Verdict
    public var exitCode: Int
    /// Why the verdict or exit code is not the invariants' alone: interrupted, a fault that did not land, leftovers.
    public var notes: [String]
    /// RFC 3339, UTC.
    public var startedAt: String
    public var durationSeconds: Double
    /// Ordered names and values: versions, cores, kernel.
    public var environment: [JSONValue.Member]
    /// What was tested; passwords masked.
    public var target: String
    public var faults: [FaultRecord]
    public var invariants: [InvariantResult]
    public var workload: [OperationSummary]
    /// Open model: scheduled operations that were never started, because every client was busy too long.
    public var droppedOperations: Int
    /// The pool's metrics by their names in the documentation.
    public var pool: [JSONValue.Member]
    public var recovery: [RecoveryRecord]
    /// The command that runs the same again.
    public var replay: String
    /// What the run took of its surroundings at most, and what it achieved in the phase `steady`: names with their unit, numbers.
    public var resources: [JSONValue.Member]

    public init(
        scenario: String, scenarioSummary: String, seed: UInt64, verdict: Verdict, exitCode: Int, notes: [String],
        startedAt: String, durationSeconds: Double, environment: [JSONValue.Member], target: String,
        faults: [FaultRecord], invariants: [InvariantResult], workload: [OperationSummary], droppedOperations: Int,
        pool: [JSONValue.Member], recovery: [RecoveryRecord], replay: String,
        resources: [JSONValue.Member] = []
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
        self.resources = resources
    }
}

/// One injection of one fault.
public struct FaultRecord: Sendable, Equatable {
    /// Counts from 0 in the run, also those injections that never began; `nil`: the record stands for several.
    public var number: Int?
    public var kind: String
    /// For example `restart immediate, down for 2 s`.
    public var detail: String
    /// Seconds since the run's start.
    public var injectedAtSeconds: Double
    public var healedAtSeconds: Double?
    /// The fault was proven to have had its effect.
    public var landed: Bool
    /// The proof, or why there is none.
    public var evidence: JSONValue

    public init(
        number: Int? = nil, kind: String, detail: String, injectedAtSeconds: Double, healedAtSeconds: Double?,
        landed: Bool, evidence: JSONValue
    ) {
        self.number = number
        self.kind = kind
        self.detail = detail
        self.injectedAtSeconds = injectedAtSeconds
        self.healedAtSeconds = healedAtSeconds
        self.landed = landed
        self.evidence = evidence
    }
}

/// One kind of operation over the whole run.
public struct OperationSummary: Sendable, Equatable {
    public var kind: String
    public var ok: Int
    public var fail: Int
    public var info: Int
    /// Successful operations; open model: from the scheduled start.
    public var latency: LatencyHistogram
    /// Failures by class and code, most frequent first: `57P01 session-ended` → 12.
    public var failures: [(name: String, count: Int)]

    public init(
        kind: String, ok: Int, fail: Int, info: Int, latency: LatencyHistogram, failures: [(name: String, count: Int)]
    ) {
        self.kind = kind
        self.ok = ok
        self.fail = fail
        self.info = info
        self.latency = latency
        self.failures = failures
    }

    public static func == (a: OperationSummary, b: OperationSummary) -> Bool {
        a.kind == b.kind && a.ok == b.ok && a.fail == b.fail && a.info == b.info && a.latency == b.latency
            && a.failures.map(\.name) == b.failures.map(\.name) && a.failures.map(\.count) == b.failures.map(\.count)
    }
}

/// How the system came back after one fault. Seconds since the fault was healed; `nil`: never within the run.
public struct RecoveryRecord: Sendable, Equatable {
    public var fault: String
    public var firstOkSeconds: Double?
    public var fullPoolSeconds: Double?
    public var baselineThroughputSeconds: Double?
    public var baselineP95Seconds: Double?
    /// Operations that ended in `fail` or `info` between injection and recovery.
    public var lostOperations: Int

    public init(
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
