package import ConnectionPool
package import RigModel
import Threading

/// Runs the clients of a workload against a pool and records every operation: invoke, then ok, fail or info.
package final class WorkloadRunner: Sendable {
    /// How the clients come to their next operation.
    package enum Model: Sendable {
        /// Each client begins the next operation when the last one ended.
        case closed
        /// Operations are due at a fixed rate; latency counts from there.
        case open(ratePerSecond: Double, maxLag: Duration)
    }

    private let pool: any PoolUnderTest
    private let runtime: any PoolRuntime
    private let mix: OperationMix
    private let schema: WorkloadSchema
    private let seed: UInt64
    private let sink: any EventSink
    private let clients: Int
    private let model: Model
    private let ids: OperationIDAllocator

    private struct State: Sendable {
        var isStopped = false
        var schedule: ArrivalSchedule?
        var nextProcess: Int
        var running: Int
        var dropped = 0
        var reportedDropped = 0
        var tasks: [Task<Void, Never>] = []
        var stopWaiters: [CheckedContinuation<Void, Never>] = []
    }
    private let state: Lock<State>
    /// What the live progress shows; reset by each look.
    private let window = Lock(WorkloadWindow())

    package init(
        pool: any PoolUnderTest, runtime: any PoolRuntime, mix: OperationMix, schema: WorkloadSchema, clients: Int,
        model: Model, seed: UInt64, sink: any EventSink
    ) {
        self.pool = pool
        self.runtime = runtime
        self.mix = mix
        self.schema = schema
        self.clients = clients
        self.model = model
        self.seed = seed
        self.sink = sink
        ids = OperationIDAllocator(worker: 0)
        state = Lock(State(nextProcess: clients, running: clients))
    }

    /// Starts every client. Call once.
    package func start() {
        if case .open(let rate, let maxLag) = model {
            let schedule = ArrivalSchedule(start: runtime.now, ratePerSecond: rate, maxLag: maxLag)
            state.withLock { $0.schedule = schedule }
        }
        let tasks = (0..<clients).map { client in runtime.run { await self.runClient(client) } }
        state.withLock { $0.tasks = tasks }
    }

    /// Lets every client end its current operation and stops it. Clients that are still busy at the limit are cancelled,
    /// and then awaited without a limit only if they react to that.
    ///
    /// - Parameter limit: how long the current operations may take.
    /// - Returns: the number of clients that had not ended even `grace` after they were cancelled.
    package func stop(within limit: Duration, grace: Duration) async -> Int {
        state.withLock { $0.isStopped = true }
        let cancelAt = runtime.now.advanced(by: limit)
        let giveUpAt = cancelAt.advanced(by: grace)
        let watchdog = runtime.run { [self] in
            guard (try? await runtime.sleep(until: cancelAt)) != nil else { return }
            for task in state.withLock({ $0.tasks }) { task.cancel() }
            guard (try? await runtime.sleep(until: giveUpAt)) != nil else { return }
            for waiter in state.withLock({ state in
                defer { state.stopWaiters = [] }
                return state.stopWaiters
            }) { waiter.resume() }
        }
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                if state.running > 0 { state.stopWaiters.append(continuation) }
                return state.running == 0
            }
            if isDone { continuation.resume() }
        }
        watchdog.cancel()
        recordDropped()
        return state.withLock { $0.running }
    }

    /// Operations since the last look, for the live progress.
    package func takeWindow() -> WorkloadWindow {
        window.withLock { window in
            defer { window = WorkloadWindow() }
            return window
        }
    }

    private func runClient(_ client: Int) async {
        var generator = SeededGenerator(seed: seed, stream: "client-\(client)")
        var process = client
        var block = ids.reserve()
        while let lag = await waitForTurn() {
            let (operation, name) = mix.draw(&generator)
            let id = nextID(&block)
            var context = OperationContext(id: id, generator: generator, schema: schema)
            let planned = operation.plan(&context)
            generator = context.generator
            let invokedAt = sink.record(.invoke, .worker(process), name, planned.value)
            var report = await pool.use(planned.request)
            report.completion.lagNanoseconds = lag?.nanoseconds
            let value = report.outcome == .ok ? planned.okValue?(report.results) ?? planned.value : planned.value
            let endedAt = sink.record(kind(report.outcome), .worker(process), name, value, report.completion)
            window.withLock {
                $0.add(report.outcome, latencyNanoseconds: endedAt - invokedAt + (lag?.nanoseconds ?? 0))
            }
            // An unresolved operation may still take effect: it stays concurrent with all that follows.
            if report.outcome == .info { process = takeProcess() }
        }
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            guard state.running == 0 else { return [] }
            defer { state.stopWaiters = [] }
            return state.stopWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until this client's next operation is due.
    ///
    /// - Returns: how late it is; `.some(nil)` in the closed model; `nil` when the workload ends.
    private func waitForTurn() async -> Duration?? {
        let now = runtime.now
        let turn = state.withLock { state -> (dueAt: MonotonicInstant, dropped: Int)? in
            if state.isStopped { return nil }
            guard let turn = state.schedule?.take(now: now) else { return (now, 0) }
            state.dropped += turn.dropped
            return turn
        }
        guard let turn else { return nil }
        guard case .open = model else { return .some(nil) }
        if turn.dropped > 0 { recordDropped() }
        // In slices, so that a client with a far-off turn sees the end of the workload.
        while runtime.now < turn.dueAt {
            let slice = min(turn.dueAt, runtime.now.advanced(by: .milliseconds(50)))
            guard (try? await runtime.sleep(until: slice)) != nil else { return nil }
            if state.withLock({ $0.isStopped }) { return nil }
        }
        return .some(turn.dueAt.duration(to: runtime.now))
    }

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

/// Operations of a short time, for the live progress.
package struct WorkloadWindow: Sendable {
    package private(set) var ok = 0
    package private(set) var failed = 0
    package private(set) var unknown = 0
    package private(set) var latency = LatencyHistogram()

    mutating func add(_ outcome: Outcome, latencyNanoseconds: Int64) {
        switch outcome {
        case .ok:
            ok += 1
            latency.add(nanoseconds: latencyNanoseconds)
        case .fail: failed += 1
        case .info: unknown += 1
        }
    }
}
