import Threading

typealias WaiterID = Int
extension PoolStateMachine {
    var hasActions: Bool { !actions.isEmpty }
    var alarmMayHaveMovedEarlier: Bool { true }
    mutating func lendFresh(now: MonotonicInstant, affinity: Int32, site: BorrowSite) -> ConnectionHandle? {
        guard phase == .running, waiters.isEmpty, let slot = idleStack.last, now < slots[slot].expiresAt,
            slots[slot].provenAt.duration(to: now) < configuration.checkAfterIdle
        else { return nil }
        idleStack.removeLast()
        let turn = Turn(ticket: nextTicket, arrivedAt: now)
        nextTicket += 1
        lend(slot, to: turn, site, queued: false, now)
        return handle(slot)
    }
    func idleNanoseconds(of handle: ConnectionHandle, now: MonotonicInstant) -> UInt64 {
        now.nanoseconds - slots[handle.slot].provenAt.nanoseconds
    }
    mutating func acquire(
        now: MonotonicInstant, deadline: MonotonicInstant, site: BorrowSite?, turn: Turn?, affinity: Int32
    ) -> AcquireDecision {
        acquire(now: now, deadline: deadline, site: site, turn: turn)
    }
    mutating func release(
        _ handle: ConnectionHandle, _ condition: ReleaseCondition, affinity: Int32, now: MonotonicInstant
    ) {
        release(handle, condition, now: now)
    }
    mutating func connected(_ handle: ConnectionHandle, affinity: Int32, now: MonotonicInstant) {
        connected(handle, now: now)
    }
    mutating func idleEvent(_ handle: ConnectionHandle, now: MonotonicInstant) {}
}
