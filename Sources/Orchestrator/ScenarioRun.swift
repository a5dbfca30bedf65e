import ConnectionPool
import EventLoop
import FaultInjection
import Foundation
import HostSystem
import PostgresDriver
import RigModel
package import ScenarioFile
import Threading

/// One run of one scenario, from an empty folder to a report.
///
/// 1. check that the target can do what the scenario asks; 2. heal what dead runs left; 3. run folder, journal, watchdog;
/// 4. target and tables; 5. pool and workload through warm-up, steady, faults and settle; 6. drain: heal every fault,
/// stop the clients; 7. books, final reads, close, books; 8. verdict and reports; 9. tear down, and check that nothing is
/// left. An interrupt shortens 5 and goes on with 6.
package struct ScenarioRun: Sendable {
    private let scenario: Scenario
    private let options: RunOptions

    package init(_ scenario: Scenario, options: RunOptions) {
        self.scenario = scenario
        self.options = options
    }

    /// Refuses what cannot work, before anything is started.
    ///
    /// - Throws: ``RunError/usage(_:)`` or ``RunError/missing(_:)``.
    package static func check(_ scenario: Scenario, allowedRemoteHosts: Set<String>) async throws(RunError) {
        let faults = faults(of: scenario)
        try TargetFactory.check(scenario, faults: faults, allowedRemoteHosts: allowedRemoteHosts)
        try StagePlan.check(scenario)
        let target = TargetFactory.capabilities(of: scenario.target)
        // One that works without anything of the machine needs no trial here.
        let demanding = faults.filter { !$0.capabilities.contains([]) }
        let wanted = demanding.flatMap(\.capabilities).reduce(into: target) { $0.formUnion($1) }
        let answers = await Examination.probe(wanted)
        let missing =
            FaultSupport.missing("the target", of: target, answers) + FaultSupport.missing(demanding, answers)
        if !missing.isEmpty { throw .missing(missing.joined(separator: "\n")) }
        guard case .compose = scenario.target else { return }
        _ = try await TargetFactory.engine(allowedRemoteHosts: allowedRemoteHosts)
    }

    /// Runs it. Everything that it changed on this machine is undone when this returns or throws.
    ///
    /// - Throws: ``RunError`` when there is no verdict to report.
    package func run() async throws(RunError) -> RunOutcome {
        if options.decoration.instead != nil { try ForeignPool.check(scenario) }
        try await Self.check(scenario, allowedRemoteHosts: options.allowedRemoteHosts)
        // A private stage has others' rules out of reach: whoever entered it has healed before.
        if PrivateStage.state != .inside { try await Self.healDeadRuns(options.progress) }
        let startedAt = Date()
        let folder = try RunFolder(
            out: options.out, name: scenario.name, startedAt: startedAt, seed: options.seed)
        try folder.write(ResolvedScenario.yaml(scenario), to: "scenario.yaml")
        options.progress.say("run folder \(folder.path), seed \(options.seed)")

        let origin = await RunOriginFacts.collect()

        let site = try WorkSite(folder: folder, runID: Self.runID(startedAt, options.seed))
        let result: Result<RunFacts, RunError>
        do throws(RunError) {
            result = .success(try await RunBody(scenario: scenario, options: options, folder: folder, site: site).run())
        } catch {
            result = .failure(error)
        }
        let leftovers = await site.leave()
        options.progress.end()
        var facts: RunFacts
        switch result {
        case .success(let value): facts = value
        case .failure(let error) where leftovers.isEmpty: throw error
        case .failure(let error):
            throw .cannotProceed(
                (["\(error)", "and what the run did could not all be undone:"] + leftovers).joined(separator: "\n"))
        }
        facts.leftovers += leftovers
        var report = RunReporter(
            scenario: scenario, options: options, startedAt: startedAt, origin: origin
        ).report(facts)
        if let replay = options.replayOfFolder { report.replay = replay(folder.path) }
        await RunReporter.write(&report, to: folder)
        folder.linkLatest()
        return RunOutcome(report: report, folder: folder.path)
    }

    static func faults(of scenario: Scenario) -> [any Fault] {
        Catalogue.planEntries(of: scenario.faults).map(\.fault)
    }

    /// Whether these runs belong on a private stage: faults of one touch packets or mounts, and none needs this machine's network.
    package static func wantPrivateStage(_ scenarios: [Scenario]) -> Bool {
        let staysOutside = scenarios.contains { scenario in
            if case .compose = scenario.target { return true }
            guard case .postgres(let url) = scenario.target else { return false }
            let servers = try? PostgresConfiguration(url: url).servers
            return servers?.allSatisfy(\.isUnixSocket) != true
        }
        return !staysOutside && scenarios.contains(where: StagePlan.wantsPrivateStage)
    }

    /// Why this machine gives no private stage; `nil` when it does.
    package static func refusalOfStage() async -> String? {
        let answer = await StageProbes.probe(.privateStage, programs: SystemPrograms())
        guard case .missing(let reason, let remedy) = answer else { return nil }
        return "\(reason); to get one: \(remedy)"
    }

    /// - Throws: ``RunError/cannotProceed(_:)`` with what is left and the commands that remove it: a rule or a stopped process of
    ///   another run would be taken for an effect of this one.
    package static func healDeadRuns(_ progress: any ProgressDisplay) async throws(RunError) {
        var left: [String] = []
        for dead in DeadRun.find() {
            progress.say("healing what the run in \(dead.folder) left behind")
            // Another rig that starts at the same time may be at it, too.
            if await dead.heal().isEmpty || !DeadRun.find().contains(dead) { continue }
            left += await dead.heal().map { "\(dead.folder): \($0)" }
        }
        guard left.isEmpty else {
            throw .cannotProceed(
                (["a run that was killed has left this behind, and it could not be undone:"] + left).joined(
                    separator: "\n"))
        }
    }

    /// Unique on this machine, and short enough for names of tables and sockets.
    static func runID(_ startedAt: Date, _ seed: UInt64) -> String {
        let mixed = UInt64(startedAt.timeIntervalSince1970 * 1000) &* 1_000_003 ^ seed ^ UInt64(getpid()) << 40
        return String(mixed, radix: 36)
    }
}

/// What a run learned, before it is put into words.
struct RunFacts: Sendable {
    var judge: Judge
    var target: String
    var environment: [JSONValue.Member]
    var pool: [JSONValue.Member]
    var duration: Duration
    /// What could not be undone, with the command that would.
    var leftovers: [String] = []
    /// No further round can have the pool.
    var hasClosedPool = true
}
