import ConnectionPool
import EventLoop
import FaultInjection
import HostSystem
import RigModel
import ScenarioFile
import Threading
import Workloads

/// Load and faults on a pool, from the first event of a history to the last. The pool may live on for the next round.
struct RunRound: Sendable {
    let scenario: Scenario
    let options: RunOptions
    let site: WorkSite
    let service: PoolInService
    /// Where the history is written; must not exist yet.
    let historyPath: String
    /// The pool is closed at the end; asked once, before the drain.
    var closesPool: @Sendable () -> Bool = { true }

    private var target: any RunTarget { service.target }
    private var rigRuntime: LoopRuntime { LoopRuntime(loop: site.rigLoop) }
    private var settings: PoolSettings {
        PoolSettings(scenario.pool, isForeign: options.decoration.instead != nil)
    }

    func run() async throws(RunError) -> RunFacts {
        let startedAt = MonotonicInstant.now
        let history: HistoryWriter
        do {
            history = try HistoryWriter(
                path: historyPath, startedAt: startedAt, fold: Judge(scenario, isWatched: options.metrics != nil))
        } catch {
            throw .cannotProceed("\(error)")
        }
        history.record(.info, .pool, "configured", settings.event)
        let early = EarlyFindings(history, scenario)
        let pool: any PoolUnderTest
        do throws(RunError) {
            pool = try await service.beginRound(early, scenario)
        } catch {
            service.endRound()
            _ = try? history.finish()
            throw error
        }
        let sampler = Sampler(pool: pool, target: target, closed: service.closed, loop: site.rigLoop, sink: history)
        let errors = WorkloadErrorCounter(early)
        let workload = makeWorkload(pool: pool, startedAt: startedAt, sink: errors)
        let recovery = RecoveryProbe(history, maxOpen: scenario.pool.totalOpen, runtime: rigRuntime)
        let nemesis = makeNemesis(stage: target.stage, errors: errors, sink: recovery)
        history.record(
            .info, .probe, "run",
            RunRecord.started(scenario, seed: options.seed, plannedInjections: nemesis.plannedCount))
        let watcher = ProgressWatcher(
            display: options.progress, workload: workload, pool: pool, nemesis: nemesis, early: early,
            runtime: rigRuntime)

        options.metrics?.begin(
            WatchedRun(
                scenario: scenario, seed: options.seed, plannedFaults: nemesis.plannedCount, history: history,
                pool: pool))
        var closes = true
        defer { options.metrics?.end(continues: !closes) }
        recovery.start(
            pool, isDisturbed: { !nemesis.activeFaults().isEmpty }, succeeded: { workload.successCount })
        let reopen = makeReopen(pool as? ReopeningPool)
        await runPhases(workload: workload, nemesis: nemesis, watcher: watcher, sink: history)
        await recovery.stop()
        reopen?.cancel()
        await reopen?.value
        closes = closesPool()

        var problems: [String] = []
        var leftovers: [String] = []
        history.beginPhase(.drain)
        watcher.begin(.drain, until: nil)
        leftovers += await nemesis.healAll()
        let patience = options.interrupt.raised == nil ? settings.longestOperation : .seconds(2)
        let stuck = await workload.stop(within: patience, grace: .seconds(2))
        if stuck > 0 { problems.append("\(stuck) clients never came back from their last operation") }
        await sampler.stop()
        let books = Bookkeeper(service: service, pool: pool, runtime: rigRuntime, sink: history)
        await books.record(.quiesced)
        do {
            try await target.readFinalState(history)
        } catch {
            problems.append("the final state could not be read: \(error)")
        }
        await pool.refreshBooks()
        let metrics = service.metrics(of: pool)
        problems += pool.problems
        if closes {
            await service.close(within: settings.configuration.closeTimeout, history)
            await books.record(.closed)
        } else {
            history.record(.info, .pool, "kept")
        }
        history.record(
            .info, .probe, "outcome", RunRecord.outcome(problems: problems, signal: options.interrupt.raised))
        history.beginPhase(.end)
        await watcher.stop()
        service.endRound()

        let judge: Judge
        do {
            guard let folded = try history.finish() as? Judge else {
                preconditionFailure("the history's fold is the judge that it was given")
            }
            judge = folded
        } catch {
            throw .internalFailure("\(error)")
        }
        return RunFacts(
            judge: judge, target: target.description, environment: target.environment, pool: metrics,
            duration: startedAt.duration(to: .now), leftovers: leftovers, hasClosedPool: closes)
    }

    // MARK: Parts

    private func makeWorkload(
        pool: any PoolUnderTest, startedAt: MonotonicInstant, sink: any EventSink
    ) -> WorkloadRunner {
        let shares = scenario.workload.mix.map { share -> (operation: any Operation, weight: Double) in
            guard let operation = OperationCatalogue.make(share.kind) else {
                preconditionFailure("operation \(share.kind) passed validation but is not in the catalogue")
            }
            return (operation, share.weight)
        }
        let model: WorkloadRunner.Model =
            scenario.workload.rate.map { .open(ratePerSecond: $0, maxLag: scenario.workload.maxLag) } ?? .closed
        return WorkloadRunner(
            pool: pool, runtime: LoopRuntime(loops: site.poolLoops), mix: OperationMix(shares),
            schema: scenario.workload.schema(scenario.isEmbedded ? .sqlite : .postgres, run: site.runID),
            clients: scenario.workload.clients, model: model, behaviour: scenario.workload.behaviour,
            seed: options.seed, epoch: startedAt, sink: sink)
    }

    /// The pool is closed and opened again at its time; the workload begins now.
    private func makeReopen(_ pool: ReopeningPool?) -> Task<Void, Never>? {
        guard let pool, let wanted = scenario.workload.behaviour.reopen else { return nil }
        let runtime = rigRuntime
        let at = runtime.now.advanced(by: wanted.at)
        return runtime.run(near: -1) {
            guard (try? await runtime.sleep(until: at)) != nil else { return }
            await pool.reopen(whenUnderWay: wanted.inFlight)
        }
    }

    private func makeNemesis(
        stage: FaultStage, errors: any WorkloadErrors, sink: any EventSink
    ) -> NemesisRunner {
        var stage = stage
        stage.workload = errors
        stage.programs = stage.programs.map { RecordingPrograms(programs: $0, sink: sink) }
        let entries = Catalogue.planEntries(of: scenario.faults)
        let plan = NemesisSchedule.plan(entries, faultsPhase: scenario.phases.faults, seed: options.seed)
        return NemesisRunner(plan: plan, entries: entries, stage: stage, sink: sink, seed: options.seed)
    }

    private func runPhases(
        workload: WorkloadRunner, nemesis: NemesisRunner, watcher: ProgressWatcher, sink: HistoryWriter
    ) async {
        let phases: [(RunPhase, Duration)] = [
            (.warmUp, scenario.phases.warmUp), (.steady, scenario.phases.steady), (.faults, scenario.phases.faults),
            (.settle, scenario.phases.settle),
        ]
        var endsAt = MonotonicInstant.now
        for (phase, duration) in phases {
            if options.interrupt.raised != nil { return }
            endsAt = endsAt.advanced(by: duration)
            sink.beginPhase(phase)
            watcher.begin(phase, until: (duration, endsAt))
            if phase == .warmUp { workload.start() }
            if phase == .faults {
                let began = MonotonicInstant.now
                let runtime = rigRuntime
                nemesis.start { offset in try await runtime.sleep(until: began.advanced(by: offset)) }
            }
            await waitUntil(endsAt)
        }
    }

    /// Returns at the time, or soon after an interrupt.
    private func waitUntil(_ instant: MonotonicInstant) async {
        while rigRuntime.now < instant, options.interrupt.raised == nil {
            let slice = min(instant, rigRuntime.now.advanced(by: .milliseconds(50)))
            try? await rigRuntime.sleep(until: slice)
        }
    }
}

extension EventSink {
    func beginPhase(_ phase: RunPhase) {
        record(.info, .nemesis, "phase", NemesisFact.phase(phase.rawValue).value)
    }
}
