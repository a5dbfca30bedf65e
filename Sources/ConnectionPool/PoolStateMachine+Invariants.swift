extension PoolStateMachine {
    /// What must hold after every event; the first thing that does not, in words. O(connections); for tests and
    /// simulation.
    public func brokenInvariant() -> String? { brokenBooks() ?? brokenPromise() }

    /// The counters agree with the slots, and the limits hold.
    private func brokenBooks() -> String? {
        func count(_ state: SlotState) -> Int { slots.count { $0.state == state } }
        if occupied > configuration.maxOpen, !isShrinking {
            return "\(occupied) connections, but at most \(configuration.maxOpen)"
        }
        for (name, counter, state) in [
            ("connecting", connecting, SlotState.connecting), ("checking", checking, .checking),
            ("leased", leased, .leased), ("resetting", resetting, .resetting), ("closing", closing, .closing),
            ("idle", idleStack.count, .idle), ("free", freeSlots.count, .free),
        ] where counter != count(state) {
            return "\(name) is counted as \(counter), but \(count(state)) slots are in that state"
        }
        let slow = slots.count { $0.state == .checking && $0.isSlow }
        if slowChecks != slow { return "slow checks are counted as \(slowChecks), but there are \(slow)" }
        if Set(idleStack).count != idleStack.count { return "a connection is idle twice: \(idleStack)" }
        if connecting > configuration.maxConnecting { return "\(connecting) connects in flight" }
        if idleStack.count > idleLimit { return "\(idleStack.count) idle connections" }
        return nil
    }

    /// Nobody waits for what is there, and nothing that is needed is left undone.
    private func brokenPromise() -> String? {
        guard phase == .running else {
            if !waiters.isEmpty { return "\(waiters.count) wait on a pool that is closing" }
            if !idleStack.isEmpty { return "\(idleStack.count) are idle in a pool that is closing" }
            if phase == .closed, occupied > 0 { return "closed with \(occupied) connections" }
            return nil
        }
        if isBreakerOpen, !waiters.isEmpty { return "\(waiters.count) wait although the breaker is open" }
        if isBreakerOpen, gauges.open > 0 { return "the breaker is open, but so are \(gauges.open) connections" }
        if let slot = idleStack.first(where: { slots[$0].generation < generation }) {
            return "connection \(handle(slot)) is idle although a loss made it suspect"
        }
        if isSuspended { return nil }
        if let slot = idleStack.last, promisingChecks < waiters.count {
            return "\(waiters.count) wait although connection \(handle(slot)) is idle"
        }
        if wantsConnection, connecting < connectLimit, connectFailuresInRow == 0, connectInterval == nil {
            return "nothing opens the connection that is wanted: \(gauges)"
        }
        return nil
    }
}
