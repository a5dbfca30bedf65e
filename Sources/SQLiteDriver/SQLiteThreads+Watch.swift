import Threading

/// One more thread, which looks after the others every few milliseconds while they have work: it finds calls that are past
/// their deadline where SQLite does not ask its progress handler, and replaces threads that hang in a system call.
extension SQLiteThreads {
    private static let tickNanoseconds = 5_000_000
    /// So many ticks without work, and it sleeps until there is some.
    private static let idleTicks = 10

    func keepWatch() {
        var idle = 0
        while true {
            let (watch, startsThread, sessions) = state.withLock { state -> (Watch, Bool, [SQLiteSession]) in
                guard state.plan.threads > 0 else {
                    state.watch = .none
                    return (.none, false, [])
                }
                idle = state.plan.busy > 0 ? 0 : idle + 1
                if idle >= Self.idleTicks { state.watch = .sleeping }
                return (state.watch, state.plan.tick(), idle == 0 ? Array(state.sessions.values) : [])
            }
            if startsThread { startThread() }
            let now = MonotonicInstant.now
            for session in sessions { session.expire(at: now) }
            switch watch {
            case .none: return
            case .ticking: _ = watchWakeUp.wait(nanoseconds: Self.tickNanoseconds)
            case .sleeping: watchWakeUp.wait()
            }
        }
    }
}
