import ConnectionPool
import RigModel
import ScenarioFile

/// The part of a run in which something happens: a target is brought into being, something is done with it, and it is removed.
struct RunBody: Sendable {
    let scenario: Scenario
    let options: RunOptions
    let folder: RunFolder
    let site: WorkSite

    /// One round of load and faults.
    func run() async throws(RunError) -> RunFacts {
        try await withPool { service throws(RunError) in
            try await RunRound(
                scenario: scenario, options: options, site: site, service: service,
                historyPath: folder.file("history.jsonl")
            ).run()
        } adding: { facts, leftovers in
            facts.leftovers += leftovers
        }
    }

    /// Brings the target into being for as long as `body` runs.
    ///
    /// - Parameter adding: is told what could not be removed afterwards.
    func withPool<Result: Sendable>(
        _ body: (PoolInService) async throws(RunError) -> Result, adding: (inout Result, [String]) -> Void
    ) async throws(RunError) -> Result {
        let context = TargetContext(
            runID: site.runID, seed: options.seed, scenario: scenario,
            settings: PoolSettings(scenario.pool, isForeign: options.decoration.instead != nil),
            poolLoops: site.poolLoops, rigLoop: site.rigLoop, journal: site.journal, decoration: options.decoration)
        options.progress.say("starting the target")
        let target = try await TargetFactory(
            scenario: scenario, folder: folder, scratch: site.scratch, allowedRemoteHosts: options.allowedRemoteHosts
        ).make(context)
        options.progress.say("target: \(target.description)")
        let service = PoolInService(target: target, runtime: LoopRuntime(loop: site.rigLoop))
        let closeLimit = context.settings.configuration.closeTimeout
        do throws(RunError) {
            var result = try await body(service)
            await service.closeRest(within: closeLimit)
            adding(&result, await target.tearDown())
            return result
        } catch {
            await service.closeRest(within: closeLimit)
            let left = await target.tearDown()
            guard !left.isEmpty else { throw error }
            throw .cannotProceed("\(error)\nleft behind: \(left.joined(separator: "; "))")
        }
    }
}
