import RigModel
public import Threading

extension PoolStateMachine {
    /// A connect succeeded.
    ///
    /// - Parameter affinity: the event loop that does its waiting; -1 for none.
    public mutating func connected(_ handle: ConnectionHandle, affinity: Int32 = -1, now: MonotonicInstant) {
        guard let slot = slot(of: handle, in: .connecting) else { preconditionFailure("connected \(handle) twice") }
        connecting -= 1
        metrics.connectsOpened += 1
        metrics.connectTime.add(nanoseconds: slots[slot].since.duration(to: now).nanoseconds)
        failingSince = nil
        isBreakerOpen = false
        if deadOnArrivalInRow == 0 { endBackoff() }
        slots[slot].expiresAt = expiry(from: now)
        slots[slot].provenAt = now
        noteUse(slot, now)
        slots[slot].openedAfterTroubles = troubles
        slots[slot].affinity = affinity
        slots[slot].checkIntervalNanoseconds = checkInterval()
        makeAvailable(slot, now)
        noteFilled()
        supply(now)
    }

    /// The driver saw something on a connection while nobody waited on it: the server has closed it, or said something
    /// unasked. An idle one is looked at now and not when the next borrower gets it; one in use answers for itself.
    public mutating func idleEvent(_ handle: ConnectionHandle, now: MonotonicInstant) {
        guard let slot = slot(of: handle, in: .idle), let index = idleStack.firstIndex(of: slot) else { return }
        idleStack.remove(at: index)
        beginCheck(slot, now)
        supply(now)
    }

    /// A connect failed. The next one waits: a random time up to a bound that doubles with each failure. One that was given
    /// up because the pool closes is no failure.
    public mutating func connectFailed(_ handle: ConnectionHandle, _ why: String, now: MonotonicInstant) {
        guard let slot = slot(of: handle, in: .connecting) else {
            preconditionFailure("connect \(handle) failed twice")
        }
        connecting -= 1
        freeSlot(slot)
        guard phase == .running else { return finishClosingIfEmpty() }
        metrics.connectFailures += 1
        lastConnectFailure = why
        beginBackoff(now)
        openBreakerIfDue(now)
        supply(now)
    }

    /// A check ended.
    ///
    /// - Parameter provesLoss: it failed in a way that proves the connection dead, not just slow.
    public mutating func checked(
        _ handle: ConnectionHandle, alive: Bool, provesLoss: Bool, now: MonotonicInstant
    ) {
        guard let slot = slot(of: handle, in: .checking) else { preconditionFailure("checked \(handle) twice") }
        checking -= 1
        if slots[slot].isSlow {
            slots[slot].isSlow = false
            slowChecks -= 1
        }
        if alive { metrics.healthChecksOK += 1 } else { metrics.healthChecksFailed += 1 }
        answered(slot, well: alive, provesLoss: provesLoss, now)
    }

    /// A reset ended.
    public mutating func wasReset(_ handle: ConnectionHandle, clean: Bool, provesLoss: Bool, now: MonotonicInstant) {
        guard let slot = slot(of: handle, in: .resetting) else { preconditionFailure("reset \(handle) twice") }
        resetting -= 1
        answered(slot, well: clean, provesLoss: provesLoss, now)
    }

    /// A connection is closed and freed.
    public mutating func disconnected(_ handle: ConnectionHandle, now: MonotonicInstant) {
        guard let slot = slot(of: handle, in: .closing) else { preconditionFailure("disconnected \(handle) twice") }
        closing -= 1
        freeSlot(slot)
        finishClosingIfEmpty()
        supply(now)
    }

    /// A round trip ended that the pool made itself.
    private mutating func answered(_ slot: Int, well: Bool, provesLoss: Bool, _ now: MonotonicInstant) {
        if well {
            slots[slot].provenAt = now
            noteAnswer(slot)
            // It was asked after the losses that were known then; newer ones it does not answer.
            slots[slot].generation = slots[slot].askedAtGeneration
            makeAvailable(slot, now)
        } else {
            if provesLoss { noteLoss(of: slot, now) }
            beginClose(slot, provesLoss ? .lost : .unusable, now)
        }
        supply(now)
    }

    private mutating func expiry(from now: MonotonicInstant) -> MonotonicInstant {
        guard let lifetime = configuration.maxLifetime else { return .distantFuture }
        return now.advanced(
            by: .seconds(lifetime.seconds * (1 - configuration.maxLifetimeJitter * generator.nextUnit())))
    }
}
