import Synchronization
import Threading

/// How a transition becomes effects.
extension PoolCore {
    /// Runs a transition under the lock, then what it asks for.
    @discardableResult
    func transition<R>(_ body: (inout State, MonotonicInstant) -> R) -> R {
        let clock = runtime.now
        var work = Work()
        let result = state.withLock { state -> R in
            state.now = max(state.now, clock)
            let result = body(&state, state.now)
            collect(&state, into: &work)
            return result
        }
        if !work.isEmpty { perform(work) }
        return result
    }

    /// What a transition leaves to do outside the lock. Most leave nothing, and most of the others one effect.
    struct Work {
        var first: Effect?
        var others: [Effect] = []
        var newAlarm: MonotonicInstant?
        var mustTell = false

        var isEmpty: Bool { first == nil && newAlarm == nil && !mustTell }

        mutating func add(_ effect: Effect) {
            if first == nil { first = effect } else { others.append(effect) }
        }
    }

    /// Called under the lock.
    private func collect(_ state: inout State, into work: inout Work) {
        for action in state.machine.takeActions() {
            if let effect = prepare(action, &state) { work.add(effect) }
        }
        let isQueued = state.machine.hasWaiters
        if self.isQueued.load(ordering: .relaxed) != isQueued { self.isQueued.store(isQueued, ordering: .relaxed) }
        work.newAlarm = moveAlarm(&state)
        work.mustTell = !state.news.isEmpty && !state.isTelling
        if work.mustTell { state.isTelling = true }
    }

    private func perform(_ work: Work) {
        if let newAlarm = work.newAlarm { setAlarm(newAlarm) }
        if let first = work.first { perform(first) }
        for effect in work.others { perform(effect) }
        if work.mustTell { tellNews() }
    }

    /// Only a new earliest time needs a system call; an alarm that comes early finds nothing to do and moves on.
    private func moveAlarm(_ state: inout State) -> MonotonicInstant? {
        guard let next = state.machine.nextAlarm() else { return nil }
        if let armed = state.alarmAt, armed <= next, armed > state.now { return nil }
        state.alarmAt = next
        return next
    }

    /// Two threads may come here in the wrong order: whoever finds that the state wants another time sets that one.
    private func setAlarm(_ instant: MonotonicInstant) {
        guard let timer = alarm.withLock({ $0 }) else { return }
        var wanted = instant
        while true {
            timer.set(wanted)
            guard let current = state.withLock({ $0.alarmAt }), current != wanted else { return }
            wanted = current
        }
    }
}
