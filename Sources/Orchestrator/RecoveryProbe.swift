import ConnectionPool
import FaultInjection
import RigModel
import Threading
import Workloads

/// After each heal, once traffic flows again, asks the pool for all its connections at once: a pool that has lost a few of its
/// places serves the usual load as before. Thread-safe.
final class RecoveryProbe: EventSink {
    /// So many operations succeeded since the heal: traffic has recovered a little.
    private static let enoughOperations = 20
    /// Without them it is asked all the same.
    private static let patience = Duration.seconds(5)
    private static let lookEvery = Duration.milliseconds(50)
    /// From the heal: the pool has to find out first.
    private static let pause = Duration.milliseconds(500)

    private struct State {
        var heals = 0
        var task: Task<Void, Never>?
    }

    private let sink: any EventSink
    private let runtime: LoopRuntime
    private let asked: Int
    private let state = Lock(State())

    /// - Parameter maxOpen: how many connections the pool may have.
    init(_ sink: any EventSink, maxOpen: Int, runtime: LoopRuntime) {
        self.sink = sink
        asked = maxOpen
        self.runtime = runtime
    }

    /// For the nemesis: what it tells is passed on.
    func record(
        _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue, _ completion: Completion?
    ) -> Int64 {
        if process == .nemesis, value["phase"]?.stringValue == "heal", value["forced"]?.boolValue == false {
            state.withLock { $0.heals += 1 }
        }
        return sink.record(kind, process, function, value, completion)
    }

    /// Begins to watch for heals. Call once.
    ///
    /// - Parameters:
    ///   - isDisturbed: a fault is active.
    ///   - succeeded: how many operations have succeeded so far.
    func start(
        _ pool: any PoolUnderTest, isDisturbed: @escaping @Sendable () -> Bool,
        succeeded: @escaping @Sendable () -> Int
    ) {
        let task = runtime.run(near: -1) { [self] in
            var seen = 0
            while await pause(Self.lookEvery) {
                let heals = state.withLock { $0.heals }
                guard heals > seen else { continue }
                seen = heals
                guard await waitForTraffic(succeeded), !isDisturbed() else { continue }
                // Another one was healed meanwhile: that one is asked after.
                guard state.withLock({ $0.heals }) == seen else { continue }
                await ask(pool)
            }
        }
        state.withLock { $0.task = task }
    }

    /// Gives back what is held, and returns when nothing is asked any more.
    func stop() async {
        let task = state.withLock { $0.task }
        task?.cancel()
        await task?.value
    }

    private func ask(_ pool: any PoolUnderTest) async {
        guard let answer = await pool.takeAll(asked) else { return }
        var members: [JSONValue.Member] = [
            .init("asked", JSONValue(asked)), .init("got", JSONValue(answer.got)),
            .init("took_ns", JSONValue(answer.took.nanoseconds)),
        ]
        // Told all the same: the pool counts these acquires.
        if Task.isCancelled { members.append(.init("stopped", true)) }
        sink.record(.info, .probe, "all-at-once", .object(members))
    }

    private func waitForTraffic(_ succeeded: () -> Int) async -> Bool {
        let before = succeeded()
        let limit = runtime.now.advanced(by: Self.patience)
        guard await pause(Self.pause) else { return false }
        while succeeded() < before + Self.enoughOperations, runtime.now < limit {
            guard await pause(Self.lookEvery) else { return false }
        }
        return true
    }

    private func pause(_ duration: Duration) async -> Bool {
        (try? await runtime.sleep(until: runtime.now.advanced(by: duration))) != nil
    }
}
