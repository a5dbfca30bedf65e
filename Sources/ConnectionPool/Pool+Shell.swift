import Threading

/// How a transition becomes effects: lock, decide, unlock, act.
extension Pool {
    /// What the lock guards.
    struct State: Sendable {
        var machine: PoolStateMachine
        /// The latest time that the machine was told. Threads read the clock before they get the lock, so the one that
        /// comes second may have read it first; the machine's time never goes back.
        var now: MonotonicInstant
        /// Connections by slot, from their opening until they are closed or cut.
        var connections: [Connection?]
        /// By serial number; only of connects that have not answered.
        var connectTasks: [Int: Task<Void, Never>] = [:]
        /// Waiters that sleep, and answers for waiters that do not sleep yet.
        var parked: [Int: CheckedContinuation<Grant, Never>] = [:]
        var mailbox: [Int: Grant] = [:]
        var alarmAt: MonotonicInstant?
        /// What is still to be told, in order. One thread at a time tells it.
        var news: [News] = []
        var isTelling = false
        var closeWaiters: [CheckedContinuation<Int, Never>] = []
        /// Set when everybody who observes has been told everything.
        var closedWith: Int?

        init(machine: PoolStateMachine, now: MonotonicInstant) {
            self.machine = machine
            self.now = now
            connections = Array(repeating: nil, count: machine.configuration.maxOpen)
        }
    }

    /// The answer to a waiting acquire.
    enum Grant: Sendable {
        case lent(ConnectionHandle, Connection)
        case refused(PoolError)
    }

    /// What the world outside is told. The order matters: a suspected leak comes before its all-clear.
    enum News: Sendable {
        case notice(PoolNotice, backendPID: Int?)
        case closed(leasesCut: Int)
    }

    /// What must hold between any two events and does not, in words; after the close nothing may be left. For tests.
    package func brokenInvariant() -> String? {
        state.withLock { state in
            if let broken = state.machine.brokenInvariant() { return broken }
            guard state.machine.isClosed else { return nil }
            let left = state.parked.count + state.mailbox.count + state.connectTasks.count
            if left > 0 { return "\(left) waiters, answers or connects are left after the close" }
            let open = state.connections.count { $0 != nil }
            return open > 0 ? "\(open) connections are held after the close" : nil
        }
    }

    /// Runs a transition under the lock, then what it asks for.
    @discardableResult
    func transition<R>(_ body: (inout State, MonotonicInstant) -> R) -> R {
        let clock = runtime.now
        var effects: [Effect] = []
        var newAlarm: MonotonicInstant?
        var mustTell = false
        let result = state.withLock { state -> R in
            state.now = max(state.now, clock)
            let result = body(&state, state.now)
            for action in state.machine.takeActions() {
                if let effect = prepare(action, &state) { effects.append(effect) }
            }
            newAlarm = moveAlarm(&state)
            mustTell = !state.news.isEmpty && !state.isTelling
            if mustTell { state.isTelling = true }
            return result
        }
        if let newAlarm { setAlarm(newAlarm) }
        for effect in effects { perform(effect) }
        if mustTell { tellNews() }
        return result
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

    /// Tells what there is to tell until there is nothing more. Other threads add to it meanwhile and go on.
    private func tellNews() {
        while true {
            let batch = state.withLock { state -> [News] in
                defer { state.news = [] }
                if state.news.isEmpty { state.isTelling = false }
                return state.news
            }
            if batch.isEmpty { return }
            for news in batch {
                switch news {
                case .notice(let notice, let backendPID): observer?.poolNoticed(notice, backendPID: backendPID)
                case .closed(let leasesCut): endClose(leasesCut)
                }
            }
        }
    }

    private func endClose(_ leasesCut: Int) {
        let waiters = state.withLock { state in
            state.closedWith = leasesCut
            defer { state.closeWaiters = [] }
            return state.closeWaiters
        }
        for waiter in waiters { waiter.resume(returning: leasesCut) }
    }
}
