public import Threading

/// Control of a running pool.
extension PoolCore {
    /// See ``Pool/waitUntilFilled(deadline:)``.
    func waitUntilFilled(deadline: MonotonicInstant) async -> Bool {
        let id = state.withLock { state in
            state.nextFillWaiter += 1
            return state.nextFillWaiter
        }
        let alarm = runtime.makeAlarm { [self] in endFilling(id, false) }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Bool? in
                    if state.machine.hasFilled { return true }
                    // Inside the lock, or a cancel between the look and the registration would be lost.
                    if state.machine.phase != .running || Task.isCancelled { return false }
                    state.fillWaiters[id] = continuation
                    return nil
                }
                if let known { return continuation.resume(returning: known) }
                alarm.set(deadline)
            }
        } onCancel: {
            endFilling(id, false)
        }
    }

    private func endFilling(_ id: Int, _ hasFilled: Bool) {
        state.withLock { $0.fillWaiters.removeValue(forKey: id) }?.resume(returning: hasFilled)
    }

    /// Answers everybody who waits for the warm-up.
    func endFilling(_ hasFilled: Bool) {
        let waiters = state.withLock { state in
            defer { state.fillWaiters = [:] }
            return state.fillWaiters
        }
        for waiter in waiters.values { waiter.resume(returning: hasFilled) }
    }
}

extension Pool {
    /// Waits until the warm-up is done: as many connections as ``PoolConfiguration/idleTarget`` says (`minIdle` within
    /// `maxIdle` and `maxOpen`) have been open at the same time, idle or in use. Once that was so it stays done, whatever is
    /// closed or resized afterwards; with a target of 0 it is done from the beginning.
    ///
    /// - Returns: `true` when it is done, also in a task that is cancelled and after the pool's close; `false` when the
    ///   deadline, the close of the pool or the cancellation of the task came first. A wait that ends does nothing to the pool.
    public func waitUntilFilled(deadline: MonotonicInstant) async -> Bool {
        await core.waitUntilFilled(deadline: deadline)
    }

    /// Changes the limits of the running pool. Growing serves waiters at once; shrinking closes idle connections now, and
    /// those in use when they come back.
    ///
    /// What is `nil` stays as it was.
    public func resize(maxOpen: Int? = nil, minIdle: Int? = nil, maxIdle: Int? = nil) {
        core.transition { state, now in
            let old = state.machine.configuration
            state.machine.resize(
                maxOpen: maxOpen ?? old.maxOpen, minIdle: minIdle ?? old.minIdle, maxIdle: maxIdle ?? old.maxIdle,
                now: now)
        }
    }

    /// Lends nothing any more until ``resume()``: acquires wait, within their deadlines. Leases that are out go on.
    public func suspend() { core.transition { $0.machine.suspend(now: $1) } }

    /// Lends again; those who waited come first.
    public func resume() { core.transition { $0.machine.resume(now: $1) } }

    /// Replaces every connection that is open now, for example after a failover: idle ones are closed at once, the others
    /// when they come back. Leases are not disturbed.
    public func retireAll() { core.transition { $0.machine.retireAll(now: $1) } }
}
