import ConnectionPool
import Threading

/// How the driver answers, and what the server does to connections.
extension SimulatedWorld {
    /// Ends the call in this place of the list.
    mutating func answer(_ index: Int, _ wanted: SimulatedAnswer) throws(SimulationFailure) {
        let slot = calls.remove(at: index)
        let handle = handle(ofSlot: slot)
        let state = connections[slot].state
        connections[slot].isHurried = false
        connections[slot].callDeadline = .distantFuture
        // A dead connection cannot answer well.
        let answer = wanted == .well && connections[slot].isDead ? .lost : wanted
        mix(handle.serial &* 64 &+ Int(state.rawValue) &* 4 &+ (answer == .well ? 0 : answer == .failed ? 1 : 2))
        switch state {
        case .connecting: try endConnect(slot, handle, isOpen: answer == .well)
        case .checking, .resetting: try endRoundTrip(slot, handle, answer, isCheck: state == .checking)
        case .closing:
            connections[slot].state = .none
            transition += 1
            machine.disconnected(handle, now: now)
            try look()
        case .none, .idle, .leased: throw failure("the call on \(handle) ended, and it is \(state)")
        }
    }

    private mutating func endConnect(
        _ slot: Int, _ handle: ConnectionHandle, isOpen: Bool
    ) throws(SimulationFailure) {
        transition += 1
        guard isOpen else {
            connections[slot].state = .none
            if !isClosing {
                counts.connectFailures += 1
                lastConnectFailed = true
                troubledAsOf = transition
                if troubleSince == nil { troubleSince = now }
                if connectsFailSince == nil { connectsFailSince = now }
            }
            machine.connectFailed(handle, "refused", now: now)
            try look()
            return try checkBreakerOpened()
        }
        counts.connects += 1
        lastConnectFailed = false
        troubleSince = nil
        connectsFailSince = nil
        mustBeBroken = false
        let loop = Int32(handle.serial % 3) - 1
        connections[slot].openedAt = now
        connections[slot].openedAsOf = transition
        connections[slot].provenAt = now
        connections[slot].provenAsOf = connections[slot].askedAsOf
        connections[slot].loop = loop
        noteUse(slot)
        available(slot)
        machine.connected(handle, affinity: loop, now: now)
        try look()
    }

    private mutating func endRoundTrip(
        _ slot: Int, _ handle: ConnectionHandle, _ answer: SimulatedAnswer, isCheck: Bool
    ) throws(SimulationFailure) {
        let isWell = answer == .well
        if isWell {
            connections[slot].provenAt = now
            connections[slot].provenAsOf = connections[slot].askedAsOf
            if !isCheck { connections[slot].isDirty = false }
            noteAnswer(slot)
        } else {
            connections[slot].isSpoiled = true
            if answer == .lost {
                connections[slot].isDead = true
                noteLoss(slot)
            }
        }
        available(slot)
        transition += 1
        if isCheck {
            if isWell { counts.checksWell += 1 } else { counts.checksFailed += 1 }
            machine.checked(handle, alive: isWell, provesLoss: answer == .lost, now: now)
        } else {
            machine.wasReset(handle, clean: isWell, provesLoss: answer == .lost, now: now)
        }
        try look()
    }

    /// Nobody holds the connection now, and nothing runs on it: it is idle, unless the machine asks for more.
    mutating func available(_ slot: Int) {
        connections[slot].state = .idle
        connections[slot].idleSince = now
        connections[slot].cameBackUntaken = false
    }

    mutating func noteUse(_ slot: Int) {
        useTurns += 1
        connections[slot].useTurn = useTurns
        connections[slot].usedAt = now
    }

    /// The server has answered something on this connection.
    mutating func noteAnswer(_ slot: Int) {
        if connections[slot].openedAsOf > troubledAsOf { mayBeDropping = false }
    }

    /// The next transition tells the machine of this loss. One that was suspect already tells nothing new.
    mutating func noteLoss(_ slot: Int) {
        connections[slot].isLost = true
        guard !isClosing, connections[slot].provenAsOf >= lastLossAsOf else { return }
        lastLossAsOf = transition + 1
    }

    mutating func idleEvent(_ slot: Int) throws(SimulationFailure) {
        slotWithNews = slot
        transition += 1
        machine.idleEvent(handle(ofSlot: slot), now: now)
        try look()
        slotWithNews = -1
        if connections[slot].state == .idle { throw failure("#\(connections[slot].serial) has news, and nobody looks") }
    }

    mutating func killAll() {
        for slot in connections.indices where connections[slot].state != .none && connections[slot].state != .connecting
        {
            connections[slot].isDead = true
        }
    }
}
