import EventLoop
import HostSystem
import ScenarioFile
import Workloads

/// What every target needs to know of its run.
struct TargetContext: Sendable {
    /// Lower-case letters, digits and `_`; unique on this machine.
    let runID: String
    let seed: UInt64
    let scenario: Scenario
    let settings: PoolSettings
    /// The pool and its clients live on one loop, the rig's own connections on another: a busy pool must not delay what
    /// watches it.
    let poolLoops: EventLoopGroup
    let rigLoop: EventLoop
    let journal: any UndoJournal

    func schema(_ dialect: WorkloadSchema.Dialect) -> WorkloadSchema {
        WorkloadSchema(dialect: dialect, run: runID, statementTime: scenario.workload.statementTime)
    }
}
