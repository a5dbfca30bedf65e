import ConnectionPool
import RigModel
import Threading

/// At the end of each quiet time uses the pool once, alone, before the load comes back: a burst would hide a first use that is
/// slow. Thread-safe.
final class QuietKeeper: Sendable {
    /// The lone use begins so long before the quiet time ends, but not before its middle.
    private static let lead = Duration.milliseconds(300)
    private static let lookEvery = Duration.milliseconds(10)

    private struct State {
        var underWay = 0
        var lastEnd: MonotonicInstant
        var isHeld = false
    }

    private let pool: any PoolUnderTest
    private let runtime: any PoolRuntime
    private let activity: ActivityPlan
    private let statement: SQLStatement
    private let sink: any EventSink
    private let state: Lock<State>

    init(
        pool: any PoolUnderTest, runtime: any PoolRuntime, activity: ActivityPlan, statement: SQLStatement,
        sink: any EventSink
    ) {
        self.pool = pool
        self.runtime = runtime
        self.activity = activity
        self.statement = statement
        self.sink = sink
        state = Lock(State(lastEnd: runtime.now))
    }

    /// The load must wait, although the quiet time may be over: the lone use still runs.
    var isHeld: Bool { state.withLock { $0.isHeld } }

    func began() { state.withLock { $0.underWay += 1 } }

    func ended() {
        let now = runtime.now
        state.withLock { state in
            state.underWay -= 1
            state.lastEnd = max(state.lastEnd, now)
        }
    }

    /// Runs until its task is cancelled or the workload ends.
    func run(from start: MonotonicInstant, isStopped: () -> Bool) async {
        while !isStopped(), let quiet = activity.nextQuiet(after: start.duration(to: runtime.now)) {
            let (begin, end) = (start.advanced(by: quiet.lowerBound), start.advanced(by: quiet.upperBound))
            let middle = begin.advanced(by: begin.duration(to: end) / 2)
            guard await wait(until: max(end.advanced(by: .zero - Self.lead), middle), isStopped) else { return }
            // What began before the quiet time may still be under way.
            while runtime.now < end, await !useAlone() {
                guard await wait(until: min(end, runtime.now.advanced(by: Self.lookEvery)), isStopped) else { return }
            }
            guard await wait(until: end, isStopped) else { return }
        }
    }

    /// - Returns: `false` when somebody uses the pool.
    private func useAlone() async -> Bool {
        // Held first: what begins now would not be alone any more.
        let quietSince = state.withLock { state -> MonotonicInstant? in
            guard state.underWay == 0 else { return nil }
            state.isHeld = true
            return state.lastEnd
        }
        guard let quietSince else { return false }
        let startedAt = runtime.now
        let quiet = quietSince.duration(to: startedAt)
        // Told before: a use that never ends must not go unseen.
        sink.record(.info, .probe, "lone-use-begun", ["quiet_ns": JSONValue(quiet.nanoseconds)])
        let statement = statement
        let report = await pool.use(
            UseRequest(isIdempotent: true, isReadOnly: true, site: .here()) { _ in [statement] })
        let took = startedAt.duration(to: runtime.now)
        state.withLock { state in
            state.isHeld = false
            state.lastEnd = runtime.now
        }
        sink.record(
            .info, .probe, "lone-use",
            [
                "quiet_ns": JSONValue(quiet.nanoseconds),
                "took_ns": JSONValue(took.nanoseconds), "outcome": .string(report.outcome.rawValue),
            ])
        return true
    }

    /// In slices, so that the end of the workload is seen.
    private func wait(until instant: MonotonicInstant, _ isStopped: () -> Bool) async -> Bool {
        while runtime.now < instant {
            if isStopped() { return false }
            let slice = min(instant, runtime.now.advanced(by: .milliseconds(50)))
            guard (try? await runtime.sleep(until: slice)) != nil else { return false }
        }
        return true
    }
}
