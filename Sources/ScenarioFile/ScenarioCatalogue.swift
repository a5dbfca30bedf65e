package import RigModel

/// The faults, invariants and operation kinds that a scenario may name. The loader knows no others.
package struct ScenarioCatalogue: Sendable {
    package var faults: [Shape]
    package var invariants: [Shape]
    package var workloads: [Shape]

    /// What is wrong with the faults as a whole: entry (its index) and complaint. Only asked when each by itself is right.
    package typealias FaultCheck = @Sendable ([Scenario.FaultEntry], Scenario.Phases) -> [(entry: Int, message: String)]
    package var checkFaults: FaultCheck

    /// Why a fault of this kind could never land on this target: parameter (`nil`: none of them alone) and complaint. Only
    /// asked when each parameter by itself is right.
    package typealias ParameterCheck =
        @Sendable (_ kind: String, Parameters, Scenario.Target?) -> [(
            parameter: String?, message: String
        )]
    package var checkParameters: ParameterCheck

    package init(
        faults: [Shape], invariants: [Shape], workloads: [Shape], checkFaults: @escaping FaultCheck = { _, _ in [] },
        checkParameters: @escaping ParameterCheck = { _, _, _ in [] }
    ) {
        self.checkFaults = checkFaults
        self.checkParameters = checkParameters
        self.faults = faults
        self.invariants = invariants
        self.workloads = workloads
    }
}
