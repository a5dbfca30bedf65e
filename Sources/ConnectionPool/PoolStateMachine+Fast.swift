public import Threading

/// The two transitions that nearly every use of a busy pool consists of, without actions, allocations or 128-bit
/// arithmetic. Each does what the general one would do, or nothing.
extension PoolStateMachine {
    /// Lends an idle connection that needs no check, when nobody waits for one.
    ///
    /// - Parameter affinity: the borrower's event loop; -1 for none.
    /// - Returns: `nil` when there is more to decide: ``acquire(now:deadline:site:turn:affinity:)`` does it.
    /// - Complexity: O(1): looks at the ``nearestLooks`` connections that were used last. O(idle) in the order
    ///   ``IdleOrder/roundRobin``, where it takes the first one out of the array.
    public mutating func lendFresh(now: MonotonicInstant, affinity: Int32, site: BorrowSite) -> ConnectionHandle? {
        guard phase == .running, !isSuspended, waiters.isEmpty, let index = nearestIdle(affinity) else { return nil }
        let slot = idleStack[index]
        guard isFresh(slot, now), now < slots[slot].expiresAt, !wantsConnectionAfterLending else { return nil }
        idleStack.remove(at: index)
        let turn = Turn(ticket: nextTicket, arrivedAt: now)
        nextTicket += 1
        lend(slot, to: turn, site, queued: false, now)
        return handle(slot)
    }

    /// Takes back a connection that is idle outside a transaction, when nobody waits for it and there is room.
    ///
    /// - Returns: `false` when there is more to decide: ``release(_:_:affinity:now:)`` does it.
    public mutating func takeBackClean(
        _ handle: ConnectionHandle, affinity: Int32, now: MonotonicInstant
    ) -> Bool {
        guard phase == .running, waiters.isEmpty, !isShrinking, idleStack.count < idleLimit,
            let slot = slot(of: handle, in: .leased),
            !slots[slot].isLost, !slots[slot].leakReported, slots[slot].generation == generation,
            slots[slot].hasAnswered, slots[slot].serial >= retiredBelow, now < slots[slot].expiresAt
        else { return false }
        endLease(slot, now)
        slots[slot].affinity = affinity
        slots[slot].provenAt = now
        becomeIdle(slot, now)
        return true
    }

    /// How long ago the connection came back before it was lent: at most, for one that was lent just now.
    func nanosecondsSinceProof(of handle: ConnectionHandle, now: MonotonicInstant) -> UInt64 {
        now.nanoseconds - min(now.nanoseconds, slots[handle.slot].provenAt.nanoseconds)
    }

    /// `minIdle` would ask for another connection in place of one that is lent now.
    private var wantsConnectionAfterLending: Bool {
        idleStack.count + connecting + promisingChecks <= idleTarget && occupied < configuration.maxOpen
    }

    /// The place in the stack of the connection to lend: of those used last one that lives on the borrower's loop, else the
    /// last one.
    private func nearestIdle(_ affinity: Int32) -> Int? {
        let last = idleStack.count - 1
        guard last >= 0 else { return nil }
        if configuration.idleOrder == .roundRobin { return 0 }
        guard affinity >= 0 else { return last }
        var index = last
        while index >= 0, last - index < Self.nearestLooks {
            if slots[idleStack[index]].affinity == affinity { return index }
            index -= 1
        }
        return last
    }

    /// Further down are connections that were not used for long: better to move one that is warm.
    private static let nearestLooks = 16
}
