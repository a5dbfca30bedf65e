import Orchestrator

/// Every defect, by family. A new one is one line in the file of its family.
package enum DefectCatalogue {
    package static let all: [Defect] = [
        LostSlots.all, Cancellations.all, LeftSessions.all, NoRecovery.all, PassedOn.all, UnboundedWaits.all,
        Bounds.all, Lifetimes.all,
        Retries.all, Doubts.all, Deadlines.all, Holders.all, Reads.all, Queues.all, Metrics.all, Growth.all,
    ].flatMap { $0 }

    /// Everything is put around the pool that defects are put into, and does nothing: it must be missed. With it the self-test
    /// can be seen to fail, and what is around the pool to do no harm.
    package static let harmless = Defect(
        "none", .holders, "no defect: must be missed, and shows that the self-test can fail",
        breaks: "zero-leaked-connections", in: .killed
    ) {
        var decoration = PoolDecoration()
        decoration.driver = { PlantedDriver($0, Honest()) }
        decoration.runtime = { PlantedRuntime(base: $0) }
        decoration.pool = { PlantedPool($0, Honest()) }
        return decoration
    }

    /// The defect of this name, or `nil`.
    package static func find(_ name: String) -> Defect? { (all + [harmless]).first { $0.name == name } }
}

private struct Honest: DriverDefect, PoolDefect {}
