import Checkers
import FaultInjection
package import ScenarioFile
import Workloads

/// What scenario files may name, gathered from the roles that declare it.
package enum Catalogue {
    package static var scenario: ScenarioCatalogue {
        ScenarioCatalogue(
            faults: FaultCatalogue.shapes, invariants: CheckerCatalogue.shapes,
            workloads: OperationCatalogue.shapes)
    }
}
