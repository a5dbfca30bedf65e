import Checkers
import FaultInjection
import RigModel
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

    /// What a kind has where the scenario says nothing; what must be said is left out.
    static func defaults(of shape: Shape) -> Parameters {
        Parameters(
            Dictionary(
                uniqueKeysWithValues: shape.parameters.compactMap { parameter in
                    parameter.defaultValue.map { (parameter.name, $0) }
                }))
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
