package import Exposition

/// Every metric that a run serves, once: the endpoint, the documentation and the checks of rules and dashboard read it here.
package enum RigMetrics {
    /// Metrics that belong together, for the documentation.
    package struct Group: Sendable {
        package let title: String
        package let metrics: [MetricDefinition]
    }

    package static let groups = [
        Group(title: "Run", metrics: [buildInfo, runInfo, runStart, runPhase, stalls, stalledSeconds]),
        Group(
            title: "Workload",
            metrics: [
                operations, operationFailures, operationDuration, operationsInFlight, operationsDropped, scheduledLag,
            ]),
        Group(title: "Pool", metrics: pool),
        Group(
            title: "Faults",
            metrics: [
                faultsPlanned, faultsInjected, faultsLanded, faultsMissed, faultsHealed, faultHealFailures,
                faultsActive,
            ]),
        Group(title: "Invariants", metrics: [invariantViolations, invariantVerdict]),
        Group(
            title: "Outside the pool",
            metrics: [serverSessions, clientSockets, poolProcessDescriptors, poolProcessMemory]),
        Group(title: "The rig's own process", metrics: ProcessFacts.metrics),
    ]

    package static var all: [MetricDefinition] { groups.flatMap(\.metrics) }

    /// The limits of the usual buckets, in seconds: for what takes a network and a database.
    static let longBounds = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
    ]
    /// And for what may happen inside the pool alone.
    static let shortBounds = [0.000001, 0.00001] + longBounds

    // MARK: Run

    static let buildInfo = MetricDefinition(
        "chaosrig_build_info", .gauge, "1; the version of the rig", labels: ["version"])
    static let runInfo = MetricDefinition(
        "chaosrig_run_info", .gauge, "1 while a scenario runs; absent between two", labels: ["scenario", "seed"])
    static let runStart = MetricDefinition(
        "chaosrig_run_start_time_seconds", .gauge, "When the run began, in seconds since 1970")
    static let runPhase = MetricDefinition(
        "chaosrig_run_phase", .gauge, "1 for the phase that the run is in, 0 for the others", labels: ["phase"])
    static let stalls = MetricDefinition(
        "chaosrig_stalls_total", .counter, "Times that the machine stood still for longer than the rig overlooks")
    static let stalledSeconds = MetricDefinition(
        "chaosrig_stalled_seconds_total", .counter, "For how long the machine stood still, in sum")

    // MARK: Workload

    static let operations = MetricDefinition(
        "chaosrig_operations_total", .counter,
        "Operations that ended: ok (done), fail (certainly not done), info (nobody knows)", labels: ["kind", "outcome"])
    static let operationFailures = MetricDefinition(
        "chaosrig_operation_failures_total", .counter,
        "Operations that did not end in ok, by code and class of the error",
        labels: ["kind", "reason"])
    static let operationDuration = MetricDefinition(
        "chaosrig_operation_duration_seconds", .histogram,
        "How long operations took that ended in ok, from their scheduled start where there is a schedule",
        labels: ["kind"])
    static let operationsInFlight = MetricDefinition(
        "chaosrig_operations_in_flight", .gauge, "Operations that were begun and have not ended", labels: ["kind"])
    static let operationsDropped = MetricDefinition(
        "chaosrig_operations_dropped_total", .counter,
        "Scheduled operations that were never started because every client was busy too long")
    static let scheduledLag = MetricDefinition(
        "chaosrig_operation_scheduled_lag_seconds", .histogram,
        "How late operations started against their schedule; absent in the closed model")

    // MARK: Faults

    static let faultsPlanned = MetricDefinition(
        "chaosrig_faults_planned", .gauge,
        "Injections that a complete run has; of a soak, with those of the windows before")
    static let faultsInjected = MetricDefinition(
        "chaosrig_faults_injected_total", .counter, "Injections that were begun", labels: ["kind"])
    static let faultsLanded = MetricDefinition(
        "chaosrig_faults_landed_total", .counter, "Injections that were proven to have had their effect",
        labels: ["kind"])
    static let faultsMissed = MetricDefinition(
        "chaosrig_faults_missed_total", .counter, "Injections that were found to have had no effect", labels: ["kind"])
    static let faultsHealed = MetricDefinition(
        "chaosrig_faults_healed_total", .counter, "Injections that were undone", labels: ["kind"])
    static let faultHealFailures = MetricDefinition(
        "chaosrig_fault_heal_failures", .gauge, "Injections whose last try of an undo failed", labels: ["kind"])
    static let faultsActive = MetricDefinition(
        "chaosrig_faults_active", .gauge, "Injections that were begun and have not been undone", labels: ["kind"])

    // MARK: Invariants

    static let invariantViolations = MetricDefinition(
        "chaosrig_invariant_violations", .gauge,
        "Violations that are certain while the run goes on; most invariants are judged at its end, and are absent",
        labels: ["invariant"])
    static let invariantVerdict = MetricDefinition(
        "chaosrig_invariant_verdict", .gauge,
        "1 for what an invariant came to in the last run or window that was judged: valid, invalid or unknown",
        labels: ["scenario", "invariant", "verdict"])

    // MARK: Outside

    static let serverSessions = MetricDefinition(
        "chaosrig_server_sessions", .gauge, "Sessions of the pool that the server has")
    static let clientSockets = MetricDefinition(
        "chaosrig_client_sockets", .gauge, "Sockets of the pool, or descriptors of an embedded database")
    static let poolProcessDescriptors = MetricDefinition(
        "chaosrig_pool_process_open_fds", .gauge, "Open descriptors of the process that holds the pool")
    static let poolProcessMemory = MetricDefinition(
        "chaosrig_pool_process_resident_memory_bytes", .gauge, "Resident memory of the process that holds the pool")
}
