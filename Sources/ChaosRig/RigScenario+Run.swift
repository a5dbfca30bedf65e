import Foundation
import HostSystem
import Orchestrator
import RigModel
import ScenarioFile

extension RigScenario {
    /// Runs it against a pool: starts the target, puts load on the pool, injects the faults, judges, and undoes everything.
    ///
    /// Runs of one process wait for each other: load and faults of another run would be judged, too. Signals, the current folder
    /// and standard output stay as they are. When the calling task is cancelled, the faults are healed and everything is cleaned
    /// up before this throws.
    ///
    /// - Parameter makePool: makes the pool that is tried, from the settings; called more than once where the scenario wants
    ///   several (`pool.instances`) or closes and opens it (`workload.behaviour.reopen`). The rig closes it.
    /// - Returns: the report, whatever the verdict.
    /// - Throws: ``RigError`` when there is no verdict; `CancellationError`.
    public func run<Pool: RigPool>(
        _ options: RigOptions = RigOptions(),
        pool makePool: @escaping @Sendable (RigPoolSettings) async throws -> Pool
    ) async throws -> RigReport {
        let interrupt = Interrupt()
        let run = try options.runOptions(interrupt, PoolDoor(makePool))
        let scenario = scenario
        // In a task of its own: a cancelled one can neither heal nor wait.
        let task = Task.detached { () -> Result<RigReport, RigError> in
            await Self.oneAtATime.pass {
                do throws(RigError) { return .success(try await Self.report(of: scenario, run)) } catch {
                    return .failure(error)
                }
            }
        }
        let result = await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            interrupt.raise(SIGINT)
        }
        try Task.checkCancellation()
        return try result.get()
    }

    private static let oneAtATime = SerialGate()

    private static func report(of scenario: Scenario, _ options: RunOptions) async throws(RigError) -> RigReport {
        try await ProgramChoice.make()
        if PrivateStage.state == .outside, ScenarioRun.wantPrivateStage([scenario]) {
            PrivateStage.giveUp(
                "a test process cannot move into a network of its own; use the program, with your pool behind an adapter "
                    + "(docs/adapter.md)")
        }
        do throws(RunError) {
            return RigReport(try await ScenarioRun(scenario, options: options).run())
        } catch {
            throw RigError(error)
        }
    }
}

extension RigOptions {
    fileprivate func runOptions(_ interrupt: Interrupt, _ door: PoolDoor<some RigPool>) throws(RigError) -> RunOptions {
        let environment = ProcessInfo.processInfo.environment
        let named = try Self.seed(environment["CHAOSRIG_SEED"])
        let seed = self.seed ?? named ?? UInt64.random(in: 0..<(1 << 32))
        var options = RunOptions(
            seed: seed, out: out ?? environment["CHAOSRIG_OUT"] ?? ".build/chaosrig-runs",
            allowedRemoteHosts: allowedRemoteHosts, replayCommand: replayCommand, interrupt: interrupt,
            progress: LogLines(log: log))
        options.replay = "CHAOSRIG_SEED=\(seed) \(replayCommand)"
        options.decoration.instead = { try await door.open($0) }
        return options
    }

    private static func seed(_ text: String?) throws(RigError) -> UInt64? {
        guard let text, !text.isEmpty else { return nil }
        guard let seed = UInt64(text), seed <= 1 << 53 else {
            throw .usage("CHAOSRIG_SEED=\(text): a whole number from 0 to \(1 << 53) was expected")
        }
        return seed
    }
}

private struct LogLines: ProgressDisplay {
    let log: (@Sendable (String) -> Void)?

    func say(_ line: String) { log?(line) }
    func show(_ state: RunProgress) {}
    func end() {}
}
