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
        var stoppedAt: MonotonicInstant?
        var schedule: ArrivalSchedule?
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
        state = Lock(State(nextProcess: clients))
    }

    /// Starts every client. Call once.
    package func start() {
        let schedule: ArrivalSchedule? =
            switch model {
            case .closed: nil
            case .open(let rate, let maxLag):
                ArrivalSchedule(start: runtime.now, ratePerSecond: rate, maxLag: maxLag)
            }
        state.withLock { state in
            state.schedule = schedule
            state.running = clients
        }
        let tasks = (0..<clients).map { client in runtime.run(near: -1) { await self.runClient(client) } }
        state.withLock { $0.tasks = tasks }
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
            await pauseIfRefused(report, took: .nanoseconds(endedAt - invokedAt))
        }
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.running -= 1
            return state.running == 0 ? state.takeStopWaiters() : []
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until this client's next operation is due.
    ///
    /// - Returns: how late it is; `.some(nil)` in the closed model; `nil` when the workload ends.
    private func waitForTurn() async -> Duration?? {
        let now = runtime.now
        let turn = state.withLock { state -> (dueAt: MonotonicInstant, dropped: Int)? in
            if state.stoppedAt != nil { return nil }
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
            let isStopped = state.withLock { state in
                guard let stoppedAt = state.stoppedAt else { return false }
                if turn.dueAt <= stoppedAt { state.dropped += 1 }
                return true
            }
            if isStopped { return nil }
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

    private static var pauseAfterRefusal: Duration { .milliseconds(10) }

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
