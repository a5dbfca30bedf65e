extension PoolStateMachine {
    /// What must hold after every event; the first thing that does not, in words. O(connections), and without an allocation
    /// while all is well; for tests and simulation.
    public func brokenInvariant() -> String? { brokenBooks() ?? brokenPromise() }

    /// The counters agree with the slots, and the limits hold.
    private func brokenBooks() -> String? {
        if occupied > configuration.maxOpen, !isShrinking {
            return "\(occupied) connections, but at most \(configuration.maxOpen)"
        }
        var seen = SlotCounts()
        for index in slots.indices { seen.add(slots[index].state, isSlow: slots[index].isSlow) }
        let counted = SlotCounts(
            free: freeSlots.count, connecting: connecting, checking: checking, slow: slowChecks, idle: idleStack.count,
            leased: leased, resetting: resetting, closing: closing)
        if seen != counted { return "the slots are counted as \(counted), but there are \(seen)" }
        for place in idleStack.indices {
            let slot = idleStack[place]
            if slots[slot].state != .idle { return "connection \(handle(slot)) is in the idle stack, and is not idle" }
            if place > 0, slots[idleStack[place - 1]].useTurn >= slots[slot].useTurn {
                return "connection \(handle(slot)) is out of order in the idle stack, or twice in it: \(idleStack)"
            }
        }
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

/// How many slots are in which state.
private struct SlotCounts: Equatable {
    var free = 0
    var connecting = 0
    var checking = 0
    /// Of the checking ones.
    var slow = 0
    var idle = 0
    var leased = 0
    var resetting = 0
    var closing = 0

    mutating func add(_ state: PoolStateMachine.SlotState, isSlow: Bool) {
        switch state {
        case .free: free += 1
        case .connecting: connecting += 1
        case .checking:
            checking += 1
            if isSlow { slow += 1 }
        case .idle: idle += 1
        case .leased: leased += 1
        case .resetting: resetting += 1
        case .closing: closing += 1
        }
    }
}
