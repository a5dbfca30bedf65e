import FaultInjection
import Foundation
import HostSystem
package import Reporting
import RigModel
package import ScenarioFile
import Threading

/// A scenario over and over, on one pool: window after window, each with its own draw of the random faults, its own history and
/// its own verdict.
///
/// A window is a round as in an ordinary run, but that the pool and the server live on. After a window with a finding, and
/// after one that could not be run as it should, a new segment begins: a new server and a new pool, so that each finding counts
/// once. `soak.json` is written after each window: a soak that was killed goes on from there.
package struct SoakRun: Sendable {
    package struct Options: Sendable {
        /// Windows begin for so long; `nil`: as long as the soak that goes on was planned for, or ``defaultDuration``.
        package var duration: Duration?
        /// Of windows' files in all; the window that is being run comes on top.
        package var keepBytes: Int
        /// The folder of a soak that goes on; `nil`: a new one.
        package var resume: String?

        package static let defaultDuration = Duration.seconds(3600)

        package init(duration: Duration?, keepBytes: Int, resume: String?) {
            self.duration = duration
            self.keepBytes = keepBytes
            self.resume = resume
        }
    }

    private let scenario: Scenario
    private let options: RunOptions
    private let soak: Options

    package init(_ scenario: Scenario, options: RunOptions, soak: Options) {
        self.scenario = scenario
        self.options = options
        self.soak = soak
    }

    /// Runs until the time is over, or a signal comes. Everything that it changed on this machine is undone when this returns
    /// or throws.
    ///
    /// - Throws: ``RunError`` when there is nothing to report.
    package func run() async throws(RunError) -> (log: SoakLog, folder: String) {
        if scenario.workload.behaviour.reopen != nil {
            throw .usage(
                "workload.behaviour.reopen is for one run: a soak keeps its pool from window to window. Remove it")
        }
        try await ScenarioRun.check(scenario, allowedRemoteHosts: options.allowedRemoteHosts)
        if PrivateStage.state != .inside { try await ScenarioRun.healDeadRuns(options.progress) }
        let keeper = try SoakKeeper(scenario, options, soak)
        defer { options.progress.end() }
        options.progress.say("soak folder \(keeper.folder.path), seed \(keeper.log.seed)")
        var effort = SoakEffort()
        while keeper.wantsMore, options.interrupt.raised == nil, effort.gaveUp == nil {
            let before = keeper.log.windows.count
            var failure: RunError?
            do throws(RunError) {
                try await runSegment(keeper)
            } catch {
                if keeper.log.windows.isEmpty, effort.fruitless == 0, case .missing = error { throw error }
                failure = error
                // An interrupt may be why; it is told by itself.
                if options.interrupt.raised == nil { keeper.loseWindow() }
                keeper.note("segment \(keeper.segment) ended early: \(error)")
                options.progress.say("segment \(keeper.segment) ended early: \(error)")
            }
            effort.segmentEnded(windows: keeper.log.windows.count - before, error: failure)
        }
        try keeper.end(signal: options.interrupt.raised, gaveUp: effort.gaveUp)
        return (keeper.log, keeper.folder.path)
    }

    private func runSegment(_ keeper: SoakKeeper) async throws(RunError) {
        keeper.beginSegment()
        let site = try WorkSite(
            folder: keeper.folder, runID: ScenarioRun.runID(Date(), keeper.log.seed),
            journal: keeper.newJournal)
        let result: Result<[String], RunError>
        do throws(RunError) {
            result = .success(
                try await RunBody(scenario: scenario, options: options, folder: keeper.folder, site: site)
                    .withPool { service throws(RunError) -> [String] in
                        try await runWindows(on: service, site, keeper)
                        return []
                    } adding: {
                        $0 += $1
                    })
        } catch {
            result = .failure(error)
        }
        keeper.add(leftovers: await site.leave())
        keeper.add(leftovers: try result.get())
    }

    private func runWindows(on service: PoolInService, _ site: WorkSite, _ keeper: SoakKeeper) async throws(RunError) {
        while try await runWindow(on: service, site, keeper), options.interrupt.raised == nil {}
    }

    /// - Returns: another window follows, with the same pool.
    private func runWindow(
        on service: PoolInService, _ site: WorkSite, _ keeper: SoakKeeper
    ) async throws(RunError) -> Bool {
        let window = try keeper.beginWindow()
        var options = options
        options.seed = window.seed
        options.progress = WindowProgress(base: self.options.progress, window: window.number, left: keeper.left)
        options.replay = "\(keeper.replayOfWindow) --seed \(window.seed)"
        let startedAt = Date()
        let interrupt = options.interrupt
        let facts = try await RunRound(
            scenario: scenario, options: options, site: site, service: service, historyPath: window.historyPath,
            closesPool: { interrupt.raised != nil || !keeper.wantsMore }
        ).run()
        let report = RunReporter(
            scenario: scenario, options: options, startedAt: startedAt, origin: await RunOriginFacts.collect()
        ).report(facts)
        options.metrics?.note(report.invariants, scenario: scenario.name)
        try await keeper.end(window, report, facts)
        // After a problem (a client that never came back) the pool is not what it was.
        return !facts.hasClosedPool && report.verdict != .invalid && facts.leftovers.isEmpty
            && facts.judge.record.problems.isEmpty
    }
}
