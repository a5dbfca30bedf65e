package import ConnectionPool
package import RigModel
package import Threading

/// Runs the clients of a workload against a pool and records every operation: invoke, then ok, fail or info.
package final class WorkloadRunner: Sendable {
    /// How the clients come to their next operation.
    package enum Model: Sendable {
        /// Each client begins the next operation when the last one ended.
        case closed
        /// Operations are due at a fixed rate; latency counts from there.
        case open(ratePerSecond: Double, maxLag: Duration)
    }

    private let uses: CancellableUse
    private let runtime: any PoolRuntime
    private let mix: OperationMix
    private let schema: WorkloadSchema
    private let seed: UInt64
    private let sink: any EventSink
    private let clients: Int
    private let usualClients: Int
    private let model: Model
    private let ids: OperationIDAllocator
    private let behaviour: ClientBehaviour
    private let behaviours: BehaviourPlan
    private let activity: ActivityPlan
    /// Times in completions count from here: the run's start.
    private let epoch: MonotonicInstant
    /// Only where there are quiet times.
    private let keeper: QuietKeeper?

    private struct State: Sendable {
        var stoppedAt: MonotonicInstant?
        var startedAt: MonotonicInstant?
        var schedule: ArrivalPlan?
        var nextProcess: Int
        /// Clients that have been started and have not ended.
        var running = 0
        var hasGivenUp = false
        var dropped = 0
        var reportedDropped = 0
        var tasks: [Task<Void, Never>] = []
        var stopWaiters: [CheckedContinuation<Void, Never>] = []

        mutating func takeStopWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { stopWaiters = [] }
            return stopWaiters
        }
    }
    private let state: Lock<State>
    /// What the live progress shows; reset by each look.
    private let window = Lock(WorkloadWindow())

    package init(
        pool: any PoolUnderTest, runtime: any PoolRuntime, mix: OperationMix, schema: WorkloadSchema, clients: Int,
        model: Model, behaviour: ClientBehaviour = ClientBehaviour(), seed: UInt64, epoch: MonotonicInstant,
        sink: any EventSink
    ) {
        self.behaviour = behaviour
        self.epoch = epoch
        behaviours = BehaviourPlan(behaviour, statementTime: schema.statementTime)
        let activity = ActivityPlan(behaviour)
        self.activity = activity
        keeper =
            behaviour.quiet == nil
            ? nil
            : QuietKeeper(
                pool: pool, runtime: runtime, activity: activity, statement: schema.balance(of: 0, echo: 0), sink: sink)
        uses = CancellableUse(
            pool: pool, runtime: runtime, quota: behaviour.cancel.map { CancelQuota(share: $0.share) })
        self.runtime = runtime
        self.mix = mix
        self.schema = schema
        // Those beyond the usual ones work in bursts only.
        if case .closed = model { self.clients = clients * activity.highest } else { self.clients = clients }
        usualClients = clients
        self.model = model
        self.seed = seed
        self.sink = sink
        ids = OperationIDAllocator(worker: 0)
        state = Lock(State(nextProcess: self.clients))
    }

    /// Starts every client. Call once.
    package func start() {
        let startedAt = runtime.now
        let schedule: ArrivalPlan? =
            switch model {
            case .closed: nil
            case .open(let rate, let maxLag):
                ArrivalPlan(start: startedAt, ratePerSecond: rate, maxLag: maxLag, activity: activity)
            }
        var work: [@Sendable () async -> Void] = (0..<clients).map { client in { await self.runClient(client) } }
        if let keeper { work.append { await keeper.run(from: startedAt, isStopped: { self.isStopped }) } }
        if let probe = behaviour.probe { work.append { await self.runProbe(probe) } }
        if schedule != nil { work.append { await self.tellDropped() } }
        state.withLock { [count = work.count] state in
            state.startedAt = startedAt
            state.schedule = schedule
            state.running = count
        }
        let tasks = work.map { work in
            runtime.run(near: -1) {
                await work()
                self.noteEnd()
            }
        }
        state.withLock { $0.tasks = tasks }
    }

    private var isStopped: Bool { state.withLock { $0.stoppedAt != nil } }

    private func noteEnd() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            return state.running == 0 ? state.takeStopWaiters() : []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Lets every client end its current operation and stops it. Clients that are still busy at the limit are cancelled;
    /// those that do not react to that within the grace are left behind.
    ///
    /// - Parameter limit: how long the current operations may take.
    /// - Returns: the number of clients that had not ended even `grace` after they were cancelled.
    package func stop(within limit: Duration, grace: Duration) async -> Int {
        let stoppedAt = runtime.now
        state.withLock { state in
            guard state.stoppedAt == nil else { return }
            state.stoppedAt = stoppedAt
            // Nobody will start what is due and still waits for a free client.
            state.dropped += state.schedule?.dropDue(now: stoppedAt) ?? 0
        }
        recordDropped()
        let cancelAt = stoppedAt.advanced(by: limit)
        let giveUpAt = cancelAt.advanced(by: grace)
        let watchdog = runtime.run(near: -1) { [self] in
            guard (try? await runtime.sleep(until: cancelAt)) != nil else { return }
            for task in state.withLock({ $0.tasks }) { task.cancel() }
            guard (try? await runtime.sleep(until: giveUpAt)) != nil else { return }
            let waiters = state.withLock { state in
                state.hasGivenUp = true
                return state.takeStopWaiters()
            }
            for waiter in waiters { waiter.resume() }
        }
        await withCheckedContinuation { continuation in
            // The clients, or the watchdog, may have come first.
            let isDone = state.withLock { state in
                if state.running == 0 || state.hasGivenUp { return true }
                state.stopWaiters.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
        watchdog.cancel()
        return state.withLock { $0.running }
    }

    /// Operations since the last look, for the live progress.
    package func takeWindow() -> WorkloadWindow {
        window.withLock { window in
            let seen = window
            window = WorkloadWindow()
            window.successes = seen.successes
            return seen
        }
    }

    /// Operations that have succeeded since the start.
    package var successCount: Int { window.withLock { $0.successes } }

    private func runClient(_ client: Int) async {
        var generator = SeededGenerator(seed: seed, stream: "client-\(client)")
        // Of its own: a behaviour that is added changes no operation.
        var behaviourGenerator = SeededGenerator(seed: seed, stream: "behaviour-\(client)")
        var process = client
        var block = ids.reserve()
        var registerWrites = 0
        while let lag = await waitForTurn(client) {
            let (operation, name) = mix.draw(&generator)
            let id = nextID(&block)
            var context = OperationContext(id: id, generator: generator, schema: schema)
            context.client = client
            context.registerWrites = registerWrites
            var planned = operation.plan(&context)
            generator = context.generator
            registerWrites = context.registerWrites
            planned.request.behaviour = behaviours.draw(
                for: planned.request, number: id.rawValue, &behaviourGenerator)
            keeper?.began()
            let invokedAt = sink.record(.invoke, .worker(process), name, planned.value)
            var report = await uses.use(planned.request)
            keeper?.ended()
            report.completion.count(from: epoch)
            if report.outcome == .ok, let notes = planned.notes {
                for note in notes(report.results) { report.completion.add(note) }
            }
            report.completion.lagNanoseconds = lag?.nanoseconds
            let value = report.outcome == .ok ? planned.okValue?(report.results) ?? planned.value : planned.value
            let endedAt = sink.record(kind(report.outcome), .worker(process), name, value, report.completion)
            window.withLock {
                if report.outcome == .ok { $0.successes += 1 }
                $0.add(report.outcome, latencyNanoseconds: endedAt - invokedAt + (lag?.nanoseconds ?? 0))
            }
            // An unresolved operation may still take effect: it stays concurrent with all that follows.
            if report.outcome == .info { process = takeProcess() }
            await pauseIfRefused(report, took: .nanoseconds(endedAt - invokedAt))
        }
    }

    /// Asks at fixed times whether the database answers, and gives up at the limit.
    private func runProbe(_ probe: ClientBehaviour.Probe) async {
        let process = takeProcess()
        let statement = schema.balance(of: 0, echo: 0)
        var request = UseRequest(isIdempotent: true, isReadOnly: true, site: .here()) { _ in [statement] }
        request.acquireLimit = probe.limit
        var behaviour = UseBehaviour()
        behaviour.cancel = UseBehaviour.Cancel(at: .queue, delay: probe.limit)
        request.behaviour = behaviour
        var next = runtime.now.advanced(by: probe.every)
        while await waitUntil(next) {
            next = max(next.advanced(by: probe.every), runtime.now)
            if level() == 0 || keeper?.isHeld == true { continue }
            keeper?.began()
            sink.record(.invoke, .worker(process), "probe", ["limit_ns": JSONValue(probe.limit.nanoseconds)])
            var report = await uses.use(request)
            keeper?.ended()
            report.completion.count(from: epoch)
            sink.record(
                kind(report.outcome), .worker(process), "probe", ["limit_ns": JSONValue(probe.limit.nanoseconds)],
                report.completion)
        }
    }

    private func level() -> Int {
        guard let startedAt = state.withLock({ $0.startedAt }) else { return 1 }
        return activity.level(at: startedAt.duration(to: runtime.now))
    }

    /// - Returns: `false` when the workload ends first.
    private func waitUntil(_ instant: MonotonicInstant) async -> Bool {
        while runtime.now < instant {
            if isStopped { return false }
            let slice = min(instant, runtime.now.advanced(by: .milliseconds(50)))
            guard (try? await runtime.sleep(until: slice)) != nil else { return false }
        }
        return !isStopped
    }

    /// A quiet time, or no burst and this client is one of those that work in bursts only.
    private func mustRest(_ client: Int) -> Bool {
        if keeper?.isHeld == true { return true }
        guard case .closed = model else { return false }
        return client >= usualClients * level()
    }

    /// Waits until this client's next operation is due.
    ///
    /// - Returns: how late it is; `.some(nil)` in the closed model; `nil` when the workload ends.
    private func waitForTurn(_ client: Int) async -> Duration?? {
        while !activity.isConstant, mustRest(client) {
            guard await waitUntil(runtime.now.advanced(by: Self.rest)) else { return nil }
        }
        let now = runtime.now
        let turn = state.withLock { state -> (dueAt: MonotonicInstant, dropped: Int)? in
            if state.stoppedAt != nil { return nil }
            guard let turn = state.schedule?.take(now: now) else { return (now, 0) }
            state.dropped += turn.dropped
            return turn
        }
        guard let turn else { return nil }
        guard case .open = model else { return .some(nil) }
        // In slices, so that a client with a far-off turn sees the end of the workload.
        while runtime.now < turn.dueAt {
            let slice = min(turn.dueAt, runtime.now.advanced(by: .milliseconds(50)))
            guard (try? await runtime.sleep(until: slice)) != nil else { return nil }
            // What was due a moment before the stop had its client: the end of the load came between, and no lack of clients.
            if isStopped { return nil }
        }
        while keeper?.isHeld == true {
            guard await waitUntil(runtime.now.advanced(by: Self.rest)) else { return nil }
        }
        return .some(turn.dueAt.duration(to: runtime.now))
    }

    /// A client in the closed model that is refused at once would ask again at once, and fill the history with nothing else.
    private func pauseIfRefused(_ report: UseReport, took: Duration) async {
        guard case .closed = model, report.outcome == .fail, report.completion.error?.phase == .acquire,
            took < Self.pauseAfterRefusal
        else { return }
        try? await runtime.sleep(until: runtime.now.advanced(by: Self.pauseAfterRefusal))
    }

    /// How often a client that rests looks whether it may work again.
    private static var rest: Duration { .milliseconds(10) }

    private static var pauseAfterRefusal: Duration { .milliseconds(10) }

    /// Tells what was dropped soon after it was, also while every client hangs: who judges a span of time needs that.
    private func tellDropped() async {
        while await waitUntil(runtime.now.advanced(by: Self.tellingPause)) {
            let now = runtime.now
            state.withLock { state in
                // The stop has dropped what was left.
                if state.stoppedAt == nil { state.dropped += state.schedule?.dropLate(now: now) ?? 0 }
            }
            recordDropped()
        }
    }

    /// From one event about dropped operations to the next.
    private static var tellingPause: Duration { .milliseconds(200) }

    private func recordDropped() {
        let count = state.withLock { state in
            defer { state.reportedDropped = state.dropped }
            return state.dropped - state.reportedDropped
        }
        if count > 0 { sink.record(.info, .probe, "dropped", ["operations": JSONValue(count)]) }
    }

    private func nextID(_ block: inout OperationIDAllocator.Block) -> OperationID {
        while true {
            if let id = block.take() { return id }
            block = ids.reserve()
        }
    }

    private func takeProcess() -> Int {
        state.withLock { state in
            defer { state.nextProcess += 1 }
            return state.nextProcess
        }
    }

    private func kind(_ outcome: Outcome) -> Event.Kind {
        switch outcome {
        case .ok: .ok
        case .fail: .fail
        case .info: .info
        }
    }
}
