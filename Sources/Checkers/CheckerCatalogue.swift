package import RigModel

/// Every invariant that a scenario may name. Adding one: its own file, and one line here.
package enum CheckerCatalogue {
    package static let all: [any Checker.Type] = [
        ZeroLeakedConnections.self,
        Recovery.self,
        RetryCorrectness.self,
        Timeouts.self,
        MaxOpenConnections.self,
        ConnectStorm.self,
        BoundedWaiters.self,
        ConnectionsPerLoss.self,
        BackgroundWork.self,
        FreshAcquire.self,
        AllConnections.self,
        Liveness.self,
        OperationsLost.self,
        ConnectionLifetime.self,
        NoDeadConnections.self,
        CheckBudget.self,
        ReadOnlyDetected.self,
        LatencyIsSeen.self,
        FlatMemory.self,
        FlatDescriptors.self,
        NoOrphans.self,
        Cancellation.self,
        RetryPolicyLimits.self,
        RetryStorm.self,
        CommitDoubts.self,
        DeadlineKept.self,
        MoneyConserved.self,
        ReadYourWrites.self,
        MonotonicReads.self,
        ExclusiveCheckout.self,
        OwnResults.self,
        CleanLeases.self,
        FairQueue.self,
        AcquireTail.self,
        HonestGauges.self,
        HonestCounters.self,
        Thresholds.self,
    ]

    /// Of a scenario that names none: what every run has the events for. The others want a behaviour, an operation or a fault that
    /// gives them something to judge, and would be undecided without it.
    package static let defaults: Set<String> = Set(
        [ZeroLeakedConnections.shape, Recovery.shape, RetryCorrectness.shape, Timeouts.shape].map(\.name))

    /// Names of those whose single finding may be the machine's.
    package static var measurements: Set<String> { Set(all.filter { $0.isMeasurement }.map { $0.shape.name }) }

    /// What the scenario file may say about each, in the order of the catalogue.
    package static var shapes: [Shape] { all.map { $0.shape } }

    /// A fresh checker, or `nil` when no invariant has this name.
    package static func make(_ name: String, _ parameters: Parameters) -> (any Checker)? {
        all.first { $0.shape.name == name }?.init(parameters)
    }
}
