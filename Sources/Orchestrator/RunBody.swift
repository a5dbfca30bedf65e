import ConnectionPool
import EventLoop
import FaultInjection
import HostSystem
import RigModel
import ScenarioFile
import Threading
import Workloads

/// The part of a run in which something happens: target, pool, workload, faults, final reads.
struct RunBody: Sendable {
    let scenario: Scenario
    let options: RunOptions
    let folder: RunFolder
    let site: WorkSite

    private var rigRuntime: LoopRuntime { LoopRuntime(loop: site.rigLoop) }
    private var settings: PoolSettings { PoolSettings(scenario.pool) }

    func run() async throws(RunError) -> RunFacts {
        let context = TargetContext(
            runID: site.runID, seed: options.seed, scenario: scenario, settings: settings, poolLoops: site.poolLoops,
            rigLoop: site.rigLoop, journal: site.journal)
        options.progress.say("starting the target")
        let target = try await TargetFactory(
            scenario: scenario, folder: folder, scratch: site.scratch, allowedRemoteHosts: options.allowedRemoteHosts
        ).make(context)
        options.progress.say("target: \(target.description)")
        do throws(RunError) {
            var facts = try await run(on: target)
            facts.leftovers += await target.tearDown()
            return facts
        } catch {
            let left = await target.tearDown()
            guard !left.isEmpty else { throw error }
            throw .cannotProceed("\(error)\nleft behind: \(left.joined(separator: "; "))")
        }
    }

    private func run(on target: any RunTarget) async throws(RunError) -> RunFacts {
        let startedAt = MonotonicInstant.now
        let history: HistoryWriter
        do {
            history = try HistoryWriter(path: folder.file("history.jsonl"), startedAt: startedAt, fold: Judge(scenario))
        } catch {
            throw .cannotProceed("\(error)")
        }
        history.record(.info, .pool, "configured", settings.event)
        do throws(RunError) {
            try await target.prepare(history)
        } catch {
            _ = try? history.finish()
            throw error
        }
        let pool = try await target.makePool(history)
        let sampler = Sampler(pool: pool, target: target, loop: site.rigLoop, sink: history)
        let errors = WorkloadErrorCounter(history)
        let workload = makeWorkload(pool: pool, sink: errors)
        let nemesis = makeNemesis(stage: target.stage, errors: errors, sink: history)
        let watcher = ProgressWatcher(
            display: options.progress, workload: workload, pool: pool, nemesis: nemesis, runtime: rigRuntime)

        await runPhases(workload: workload, nemesis: nemesis, watcher: watcher, sink: history)

        var problems: [String] = []
        var leftovers: [String] = []
        history.beginPhase(.drain)
        watcher.begin(.drain, until: nil)
        leftovers += await nemesis.healAll()
        let patience = options.interrupt.raised == nil ? settings.longestOperation : .seconds(2)
        let stuck = await workload.stop(within: patience, grace: .seconds(2))
        if stuck > 0 { problems.append("\(stuck) clients never came back from their last operation") }
        await sampler.stop()
        let books = Bookkeeper(pool: pool, target: target, runtime: rigRuntime, sink: history)
        await books.record(.quiesced)
        do {
            try await target.readFinalState(history)
        } catch {
            problems.append("the final state could not be read: \(error)")
        }
        let metrics = pool.metrics()
        problems += pool.problems
        await close(pool, sink: history)
        await books.record(.closed)
        history.beginPhase(.end)
        await watcher.stop()

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
            plannedInjections: nemesis.plannedCount, duration: startedAt.duration(to: .now), problems: problems,
            leftovers: leftovers)
    }

    // MARK: Parts

    private func makeWorkload(pool: any PoolUnderTest, sink: any EventSink) -> WorkloadRunner {
        let shares = scenario.workload.mix.map { share -> (operation: any Operation, weight: Double) in
            guard let operation = OperationCatalogue.make(share.kind) else {
                preconditionFailure("operation \(share.kind) passed validation but is not in the catalogue")
            }
            return (operation, share.weight)
        }
        let model: WorkloadRunner.Model =
            scenario.workload.rate.map { .open(ratePerSecond: $0, maxLag: scenario.workload.maxLag) } ?? .closed
        let dialect: WorkloadSchema.Dialect =
            switch scenario.target {
            case .managedPostgres, .postgres, .compose: .postgres
            case .temporarySQLite, .sqlite: .sqlite
            }
        return WorkloadRunner(
            pool: pool, runtime: LoopRuntime(loops: site.poolLoops), mix: OperationMix(shares),
            schema: WorkloadSchema(
                dialect: dialect, run: site.runID, statementTime: scenario.workload.statementTime),
            clients: scenario.workload.clients, model: model, seed: options.seed, sink: sink)
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
            watcher.begin(phase, until: endsAt)
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

    private func close(_ pool: any PoolUnderTest, sink: any EventSink) async {
        let startedAt = MonotonicInstant.now
        let cut = await pool.close()
        sink.record(
            .info, .pool, "closed",
            [
                "took_ns": JSONValue(startedAt.duration(to: .now).nanoseconds),
                "limit_ns": JSONValue(settings.configuration.closeTimeout.nanoseconds),
                "leases_cut": JSONValue(cut),
            ])
    }
}

extension EventSink {
    func beginPhase(_ phase: RunPhase) {
        record(.info, .nemesis, "phase", NemesisFact.phase(phase.rawValue).value)
    }
}
