import Checkers
import FaultInjection
package import ScenarioFile
import Workloads

/// What scenario files may name, gathered from the roles that declare it.
package enum Catalogue {
    package static var scenario: ScenarioCatalogue {
        ScenarioCatalogue(
            faults: FaultCatalogue.shapes, invariants: CheckerCatalogue.shapes,
            workloads: OperationCatalogue.shapes,
            checkFaults: { entries, phases in
                FaultConflicts.find(planEntries(of: entries), faultsPhase: phases.faults)
            })
    }

    /// The faults of a scenario as values.
    static func planEntries(of faults: [Scenario.FaultEntry]) -> [FaultPlanEntry] {
        faults.map { entry in
            guard let fault = FaultCatalogue.make(entry.kind, entry.parameters) else {
                preconditionFailure("fault \(entry.kind) was read by its shape but is not in the catalogue")
            }
            return FaultPlanEntry(
                fault: fault, at: entry.schedule.at, every: entry.schedule.every, jitter: entry.schedule.jitter,
                times: entry.schedule.times, duration: entry.schedule.duration, group: entry.group)
        }
    }
}
