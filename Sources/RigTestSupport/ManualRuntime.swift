package import ConnectionPool
package import Threading

/// Time that stands still until the test moves it, on real threads.
///
/// Alarms and sleeps that are due fire inside ``advance(by:)``, in the order of their times, in the caller's thread.
/// Background work runs as ordinary tasks; ``untilWorkEnds()`` waits for all of it.
package final class ManualRuntime: PoolRuntime {
    /// Why a sleep ended.
    package enum Wake: Sendable { case due, cancelled, woken }

    private struct Sleeper: Sendable {
        let until: MonotonicInstant
        let continuation: CheckedContinuation<Wake, Never>
    }

    private struct State: Sendable {
        var now = MonotonicInstant(nanoseconds: 1_000_000_000)
        var nextID = 0
        var armed: [Int: MonotonicInstant] = [:]
        var fires: [Int: @Sendable () -> Void] = [:]
        var sleepers: [Int: Sleeper] = [:]
        /// Woken before they slept.
        var wokenEarly: Set<Int> = []
        var running = 0

        /// What is due first, not later than the limit, taken out.
        mutating func takeDue(upTo limit: MonotonicInstant) -> (at: MonotonicInstant, fire: @Sendable () -> Void)? {
            let alarm = armed.min { ($0.value, $0.key) < ($1.value, $1.key) }
            let sleeper = sleepers.min { ($0.value.until, $0.key) < ($1.value.until, $1.key) }
            if let alarm, alarm.value <= limit, alarm.value <= sleeper?.value.until ?? .distantFuture {
                armed[alarm.key] = nil
                return fires[alarm.key].map { (alarm.value, $0) }
            }
            guard let sleeper, sleeper.value.until <= limit else { return nil }
            sleepers[sleeper.key] = nil
            let continuation = sleeper.value.continuation
            return (sleeper.value.until, { continuation.resume(returning: .due) })
        }
    }

    private let state = Watched(State())

    package init() {}

    package var now: MonotonicInstant { state.value.now }

    /// Moves the time and fires what becomes due on the way, each at its time.
    package func advance(by duration: Duration) {
        let target = now.advanced(by: duration)
        var firesAtOneTime = 0
        while true {
            let fire = state.change { state -> (@Sendable () -> Void)? in
                guard let due = state.takeDue(upTo: target) else {
                    state.now = max(state.now, target)
                    return nil
                }
                if due.at > state.now { firesAtOneTime = 0 }
                state.now = max(state.now, due.at)
                return due.fire
            }
            guard let fire else { return }
            firesAtOneTime += 1
            precondition(firesAtOneTime < 10_000, "an alarm is set again and again for a time that has come")
            fire()
        }
    }

    package func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm {
        let id = newID()
        state.change { $0.fires[id] = fire }
        return ManualAlarm(id: id, runtime: self)
    }

    @discardableResult
    package func run(near affinity: Int32, _ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        state.change { $0.running += 1 }
        let rest = Watched(Optional(work))
        return Task {
            await Self.finish(rest)
            state.change { $0.running -= 1 }
        }
    }

    /// Does the work and lets go of it: what only the work held must be free once ``untilWorkEnds()`` returns.
    private static func finish(_ rest: Watched<(@Sendable () async -> Void)?>) async {
        let work = rest.change { $0.take() }
        await work?()
    }

    package func sleep(until instant: MonotonicInstant) async throws {
        guard await sleep(newID(), until: instant) == .due else { throw CancellationError() }
    }

    // MARK: For fakes and tests

    package func newID() -> Int {
        state.change { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
    }

    /// A sleep that ``wake(_:)`` can end. Each id is for one sleep.
    package func sleep(_ id: Int, until instant: MonotonicInstant) async -> Wake {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = state.change { state -> Wake? in
                    if state.wokenEarly.remove(id) != nil { return .woken }
                    if Task.isCancelled { return .cancelled }
                    if instant <= state.now { return .due }
                    state.sleepers[id] = Sleeper(until: instant, continuation: continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let sleeper = state.change { $0.sleepers.removeValue(forKey: id) }
            sleeper?.continuation.resume(returning: .cancelled)
        }
    }

    /// Ends a sleep; one that has not begun will not begin.
    package func wake(_ id: Int) {
        let sleeper = state.change { state in
            let sleeper = state.sleepers.removeValue(forKey: id)
            if sleeper == nil { state.wokenEarly.insert(id) }
            return sleeper
        }
        sleeper?.continuation.resume(returning: .woken)
    }

    package var sleeperCount: Int { state.value.sleepers.count }

    /// Background work that has not ended.
    package var runningCount: Int { state.value.running }

    /// Alarms that exist; one that was cancelled does not.
    package var alarmCount: Int { state.value.fires.count }

    package func untilSleeping(_ count: Int) async throws {
        try await state.wait { $0.sleepers.count >= count }
    }

    /// Waits until no background work is left.
    package func untilWorkEnds() async throws { try await state.wait { $0.running == 0 } }

    private struct ManualAlarm: PoolAlarm {
        let id: Int
        let runtime: ManualRuntime

        func set(_ instant: MonotonicInstant?) {
            runtime.state.change { state in
                if state.fires[id] != nil { state.armed[id] = instant }
            }
        }

        func cancel() {
            runtime.state.change { state in
                state.armed[id] = nil
                state.fires[id] = nil
            }
        }
    }
}
