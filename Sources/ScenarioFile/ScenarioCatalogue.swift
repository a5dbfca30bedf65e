package import RigModel

/// The faults, invariants and operation kinds that a scenario may name. The loader knows no others.
package struct ScenarioCatalogue: Sendable {
    package var faults: [Shape]
    package var invariants: [Shape]
    package var workloads: [Shape]

    package init(faults: [Shape], invariants: [Shape], workloads: [Shape]) {
        self.faults = faults
        self.invariants = invariants
        self.workloads = workloads
    }
}
