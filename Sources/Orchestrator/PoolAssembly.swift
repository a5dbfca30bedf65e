import ConnectionPool
import RigModel
import Workloads

/// Puts the pool under test together, in this process: driver, limits, time, retry policy, and what was put between them.
struct PoolAssembly: Sendable {
    let context: TargetContext
    /// What opens a transaction.
    let begin: SQLStatement
    /// For how long the server is asked what became of a COMMIT without an answer; `nil`: it is not asked.
    var askAboutCommits: Duration?
    /// Is told what the pool tells of itself.
    let sink: any EventSink

    /// - Parameter abandonResult: begins to read a result and does not end it; not where something is put around the driver.
    func make<D: Driver>(_ driver: D, abandonResult: InstrumentedPool<D>.AbandonResult? = nil) -> any PoolUnderTest {
        let decoration = context.decoration
        let pool = decoration.driver.map { assembleDecorated($0(driver)) } ?? assemble(driver, abandonResult)
        return decoration.pool(pool)
    }

    private func assembleDecorated(_ driver: some Driver) -> any PoolUnderTest { assemble(driver, nil) }

    private func assemble<D: Driver>(
        _ driver: D, _ abandonResult: InstrumentedPool<D>.AbandonResult?
    ) -> any PoolUnderTest {
        let decoration = context.decoration
        let pool = Pool(
            driver: driver, configuration: decoration.configuration(context.settings.configuration),
            runtime: decoration.runtime(LoopRuntime(loops: context.poolLoops)), seed: context.seed,
            observer: decoration.observer(PoolEventRecorder(sink: sink)))
        return InstrumentedPool(
            pool: pool, policy: decoration.policy(context.settings.policy), begin: begin,
            askAboutCommits: askAboutCommits, seed: context.seed, abandonResult: abandonResult)
    }
}
