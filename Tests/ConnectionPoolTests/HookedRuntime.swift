import ConnectionPool
import Dispatch
import Glibc
import RigTestSupport
import Testing
import Threading

/// A manual runtime that lets a test step in between two instructions of the pool, so that a race of two threads happens
/// every time and not once in a million.
struct HookedRuntime: PoolRuntime {
    struct Hooks: Sendable {
        /// Called once, before an alarm is set.
        var beforeSet: (@Sendable () -> Void)?
        /// Called once, when work has been started and before its starter goes on.
        var afterRun: (@Sendable () -> Void)?
        /// What the next readers of the clock see too little.
        var skew = Duration.zero
        /// Every time that alarms were set to, in order.
        var alarmsSet: [MonotonicInstant] = []
    }

    let base = ManualRuntime()
    let hooks = Watched(Hooks())

    var now: MonotonicInstant { base.now.advanced(by: .zero - hooks.value.skew) }

    func makeAlarm(_ fire: @escaping @Sendable () -> Void) -> any PoolAlarm {
        HookedAlarm(base: base.makeAlarm(fire), hooks: hooks)
    }

    func run(_ work: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        let task = base.run(work)
        hooks.change { $0.afterRun.take() }?()
        return task
    }

    func sleep(until instant: MonotonicInstant) async throws { try await base.sleep(until: instant) }
}

private struct HookedAlarm: PoolAlarm {
    let base: any PoolAlarm
    let hooks: Watched<HookedRuntime.Hooks>

    func set(_ instant: MonotonicInstant?) {
        hooks.change { $0.beforeSet.take() }?()
        base.set(instant)
        if let instant { hooks.change { $0.alarmsSet.append(instant) } }
    }

    func cancel() { base.cancel() }
}

/// A thread for the party that is held up, so that it does not block one of the few that all other tasks share.
final class SideThread: TaskExecutor {
    private let queue = DispatchQueue(label: "side thread")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// Holds this thread up until another one has done something. Only on a ``SideThread``.
func holdUp(_ location: SourceLocation = #_sourceLocation, until isMet: () -> Bool) {
    let giveUp = MonotonicInstant.now.advanced(by: .seconds(60))
    while !isMet() {
        if MonotonicInstant.now > giveUp {
            Issue.record("the other thread did not come", sourceLocation: location)
            return
        }
        sched_yield()
    }
}
