import ConnectionPool
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
    /// What is put between the parts of the pool; not where the pool is in another process.
    var decoration = PoolDecoration()

    func schema(_ dialect: WorkloadSchema.Dialect) -> WorkloadSchema {
        scenario.workload.schema(dialect, run: runID)
    }
}

extension Scenario.Workload {
    /// The workload's tables and statements.
    func schema(_ dialect: WorkloadSchema.Dialect, run: String) -> WorkloadSchema {
        let level: IsolationLevel? =
            switch isolation {
            case .readCommitted: .readCommitted
            case .repeatableRead: .repeatableRead
            case .serializable: .serializable
            case nil: nil
            }
        return WorkloadSchema(
            dialect: dialect, run: run, statementTime: statementTime, accounts: accounts, isolation: level,
            distinctStatements: distinctStatements)
    }
}
