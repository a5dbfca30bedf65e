extension PoolStateMachine {
    /// What must hold after every event; the first thing that does not, in words. O(connections); for tests and
    /// simulation.
    package func brokenInvariant() -> String? {
        func count(_ state: SlotState) -> Int { slots.count { $0.state == state } }
        if occupied > configuration.maxOpen { return "\(occupied) connections, but at most \(configuration.maxOpen)" }
        for (name, counter, state) in [
            ("connecting", connecting, SlotState.connecting), ("checking", checking, .checking),
            ("leased", leased, .leased), ("resetting", resetting, .resetting), ("closing", closing, .closing),
            ("idle", idleStack.count, .idle), ("free", freeSlots.count, .free),
        ] where counter != count(state) {
            return "\(name) is counted as \(counter), but \(count(state)) slots are in that state"
        }
        if Set(idleStack).count != idleStack.count { return "a connection is idle twice: \(idleStack)" }
        if connecting > configuration.maxConnecting { return "\(connecting) connects in flight" }
        if phase == .running, !waiters.isEmpty, let slot = idleStack.last, slots[slot].generation == generation,
            checking == 0
        {
            return "\(waiters.count) wait although connection \(handle(slot)) is idle"
        }
        if phase != .running, !waiters.isEmpty { return "\(waiters.count) wait on a pool that is closing" }
        if phase == .closed, occupied > 0 { return "closed with \(occupied) connections" }
        return nil
    }
}
