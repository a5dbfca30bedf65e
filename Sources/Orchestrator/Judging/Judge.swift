import Checkers
import Reporting
import RigModel
import ScenarioFile

/// Everything that reads the history: the scenario's invariants, and what the report shows. Sees each event once.
struct Judge: EventFold {
    private(set) var checkers: [any Checker]
    private(set) var timeline = FaultTimeline()
    private(set) var faults = FaultRecords()
    private(set) var kinds = OperationKinds()
    private(set) var workload = WorkloadSummary()
    private(set) var recovery = RecoveryMeter()
    private(set) var record = RunRecord()
    private(set) var resources = ResourcePeaks()
    private(set) var behaviours = BehaviourRecord()
    /// Only while somebody may look at the run.
    private(set) var live: LiveTally?

    /// - Parameter isWatched: somebody looks at the run while it goes.
    init(_ scenario: Scenario, isWatched: Bool = false) {
        live = isWatched ? LiveTally() : nil
        checkers = scenario.invariants.map { entry in
            guard let checker = CheckerCatalogue.make(entry.name, entry.parameters) else {
                preconditionFailure("invariant \(entry.name) passed validation but is not in the catalogue")
            }
            return checker
        }
    }

    mutating func observe(_ event: Event) {
        for index in checkers.indices { checkers[index].observe(event) }
        timeline.observe(event)
        faults.observe(event)
        kinds.observe(event)
        workload.observe(event)
        recovery.observe(event)
        record.observe(event)
        resources.observe(event)
        behaviours.observe(event)
        live?.observe(event)
    }

    /// What each invariant came to, in the scenario's order.
    func results() -> [InvariantResult] { checkers.map { $0.finish() } }
}
