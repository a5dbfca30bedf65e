package import ConnectionPool
package import RigModel
package import Threading

/// Cancels the task of one use when its moment comes. Thread-safe; for one use.
package final class CancelSwitch: Sendable {
    /// For the history, where the pool does not tell its moments.
    package static let somewhere = "use"
    private static let lookEvery = Duration.microseconds(200)

    private struct State {
        var task: Task<Void, Never>?
        var current = CancelMoment.queue
        /// The moment has come, and a time was set.
        var isSet = false
        var firedAt: MonotonicInstant?
        /// In the words of the history.
        var firedIn: String?
        var isOfQuery = false
        var timer: Task<Void, Never>?
        var isOver = false
    }

    /// How it was cancelled.
    package struct Fired: Sendable {
        /// The moment, in the words of the history.
        package var at: String
        package var instant: MonotonicInstant
        /// The pool could be asked to cancel its running query only, so that the call may go on all the same.
        package var isOfQuery: Bool
    }

    private let wanted: UseBehaviour.Cancel
    private let quota: CancelQuota?
    private let runtime: any PoolRuntime
    private let state = Lock(State())

    /// - Parameter quota: for cancels by quota; `nil`: every one is wanted.
    package init(_ wanted: UseBehaviour.Cancel, quota: CancelQuota? = nil, runtime: any PoolRuntime) {
        self.wanted = wanted
        self.quota = wanted.isByQuota ? quota : nil
        self.runtime = runtime
    }

    /// The task that does the use. It may have begun before.
    package func watch(_ task: Task<Void, Never>) {
        let isDue = state.withLock { state in
            state.task = task
            return state.firedAt != nil && !state.isOver
        }
        if isDue { task.cancel() }
    }

    /// The use has come to this moment.
    ///
    /// - Parameter gauges: of the pool, where the use waits for a connection: what the pool does meanwhile is seen there only.
    package func reach(_ moment: CancelMoment, gauges: (@Sendable () -> PoolGauges)? = nil) {
        let (isDue, mustWait) = state.withLock { state -> (Bool, Bool) in
            state.current = moment
            guard !state.isSet else { return (false, false) }
            if moment == .queue, wanted.at == .queue, quota?.takeOverdue() == true {
                state.isSet = true
                return (true, false)
            }
            if moment == .queue, wanted.isByQuota || wanted.at == .connect || wanted.at == .check {
                state.isSet = true
                return (false, true)
            }
            guard moment == wanted.at else { return (false, false) }
            state.isSet = true
            // These two are over at once: what comes next would be another moment.
            return moment == .result || moment == .release ? (true, false) : (false, true)
        }
        if isDue { fire() }
        guard mustWait else { return }
        let timer = runtime.run(near: -1) { [self] in
            if wanted.isByQuota || wanted.at == .connect || wanted.at == .check {
                await fireWhenSeen(gauges)
            } else {
                if wanted.delay > .zero {
                    let end = runtime.now.advanced(by: wanted.delay)
                    guard (try? await runtime.sleep(until: end)) != nil else { return }
                }
                fire()
            }
        }
        state.withLock { $0.timer = timer }
    }

    /// The use has begun in a pool that does not tell its moments: it is cancelled wherever it will be by then.
    ///
    /// - Parameter onlyQuery: what can be cancelled is the query that runs then, and nothing else.
    package func reachSomewhere(onlyQuery: Bool) {
        let mustWait = state.withLock { state in
            defer { state.isSet = true }
            state.isOfQuery = onlyQuery
            return !state.isSet
        }
        guard mustWait else { return }
        let timer = runtime.run(near: -1) { [self] in
            guard (try? await runtime.sleep(until: runtime.now.advanced(by: wanted.delayElsewhere))) != nil else {
                return
            }
            fire(in: Self.somewhere)
        }
        state.withLock { $0.timer = timer }
    }

    /// The use is over.
    ///
    /// - Returns: `nil`: it was not cancelled.
    package func end() -> Fired? {
        let (fired, timer) = state.withLock { state -> (Fired?, Task<Void, Never>?) in
            state.isOver = true
            guard let moment = state.firedIn, let instant = state.firedAt else { return (nil, state.timer) }
            return (Fired(at: moment, instant: instant, isOfQuery: state.isOfQuery), state.timer)
        }
        timer?.cancel()
        return fired
    }

    private func fire(in moment: String? = nil) {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard !state.isOver, state.firedAt == nil else { return nil }
            state.firedAt = runtime.now
            state.firedIn = moment ?? state.current.rawValue
            return state.task
        }
        task?.cancel()
    }

    private func fireWhenSeen(_ gauges: (@Sendable () -> PoolGauges)?) async {
        guard let gauges else { return }
        while state.withLock({ $0.current == .queue && !$0.isOver }) {
            let seen = gauges()
            let isSeen =
                switch wanted.at {
                case .connect: seen.connecting > 0
                case .check: seen.open > seen.idle + seen.inUse
                default: seen.waiting > 0
                }
            if isSeen, quota?.take() ?? true { return fire(in: wanted.at.rawValue) }
            guard (try? await runtime.sleep(until: runtime.now.advanced(by: Self.lookEvery))) != nil else { return }
        }
    }
}
