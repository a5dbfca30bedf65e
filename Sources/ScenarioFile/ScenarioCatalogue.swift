package import RigModel

/// The faults, invariants and operation kinds that a scenario may name. The loader knows no others.
package struct ScenarioCatalogue: Sendable {
    package var faults: [Shape]
    package var invariants: [Shape]
    package var workloads: [Shape]
    /// Names of the invariants of a scenario that names none; `nil`: all.
    package var defaultInvariants: Set<String>?
    /// Names of those of them that an embedded database cannot do.
    package var serverWorkloads: Set<String>
    /// Names of those of them that work in a transaction.
    package var transactionWorkloads: Set<String>
    /// Names of those of them whose clients never end their use in another way: they do not throw, and abandon nothing.
    package var steadyWorkloads: Set<String>

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
        faults: [Shape], invariants: [Shape], workloads: [Shape], serverWorkloads: Set<String> = [],
        transactionWorkloads: Set<String> = [], steadyWorkloads: Set<String> = [],
        defaultInvariants: Set<String>? = nil, checkFaults: @escaping FaultCheck = { _, _ in [] },
        checkParameters: @escaping ParameterCheck = { _, _, _ in [] }
    ) {
        self.serverWorkloads = serverWorkloads
        self.transactionWorkloads = transactionWorkloads
        self.steadyWorkloads = steadyWorkloads
        self.defaultInvariants = defaultInvariants
        self.checkFaults = checkFaults
        self.checkParameters = checkParameters
        self.faults = faults
        self.invariants = invariants
        self.workloads = workloads
    }
}
