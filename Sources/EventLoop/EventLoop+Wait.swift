public import Threading

extension EventLoop {
    /// Waits until `descriptor` is ready, once.
    ///
    /// Nothing is lost when the descriptor is ready already, or when the task was cancelled before. A deadline that has
    /// passed wins over a descriptor that is ready, so a peer that drips bytes cannot hold its caller for ever. The
    /// descriptor must stay open until the wait has ended.
    ///
    /// - Parameters:
    ///   - slot: the connection's place; one wait at a time.
    ///   - descriptor: anything that epoll takes; it may be another one each time. One wait at a time, too.
    ///   - readiness: what to wait for.
    ///   - deadline: when to give up.
    /// - Throws: ``LoopError``.
    public nonisolated(nonsending) func wait(
        _ slot: WaitSlot, _ descriptor: Int32, for readiness: Readiness, until deadline: MonotonicInstant
    ) async throws(LoopError) {
        precondition(slot.table === slots, "the slot was made by another event loop")
        let failure = await park(slot.slot, until: deadline) { [poller] slot, state in
            state.generation &+= 1
            let number = poller.watch(descriptor, for: readiness, slot: slot.index, generation: state.generation)
            return number == 0 ? .park : .over(.system(errno: number, call: "epoll_ctl"))
        }
        withExtendedLifetime(slot) {}
        if let failure { throw failure }
    }

    /// Sleeps until `deadline`; returns at once when it has passed.
    ///
    /// - Throws: ``LoopError/cancelled`` or ``LoopError/stopped``.
    public nonisolated(nonsending) func sleep(until deadline: MonotonicInstant) async throws(LoopError) {
        let slot = makeSlot()
        let failure = await park(slot.slot, until: deadline) { _, _ in .park }
        withExtendedLifetime(slot) {}
        if let failure, failure != .timedOut { throw failure }
    }

    /// What a wait finds under its slot's lock.
    enum Look {
        case park
        /// There is nothing to wait for: it ends with this failure, or with success.
        case over(LoopError?)
    }

    /// Suspends the task until the kernel, the deadline, a cancellation or the loop's end resumes it.
    ///
    /// - Parameter look: tells the kernel, or finds that it has reported already; runs under the slot's own lock, so no event
    ///   can come before the continuation is in place, and other slots are not held up by the system call.
    /// - Returns: why the wait failed; `nil` when the descriptor is ready.
    nonisolated(nonsending) func park(
        _ slot: Slot, until deadline: MonotonicInstant, look: (_ slot: Slot, _ state: inout Slot.State) -> Look
    ) async -> LoopError? {
        if Task.isCancelled { return .cancelled }
        if deadline <= .now { return isStopping ? .stopped : .timedOut }
        let number = slot.state.withLock { state in
            precondition(state.waiter == nil, "two tasks wait on one slot: each connection needs its own")
            state.waitNumber &+= 1
            return state.waitNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (refusal, mustWake) = slot.state.withLock { state -> (LoopError??, Bool) in
                    // The cancellation flag is set before onCancel runs: either it is seen here, or onCancel finds the
                    // continuation.
                    if Task.isCancelled { return (.some(.cancelled), false) }
                    if isStopping { return (.some(.stopped), false) }
                    if case .over(let end) = look(slot, &state) { return (.some(end), false) }
                    state.waiter = continuation
                    state.deadline = deadline
                    return (.none, schedule(slot, &state))
                }
                if let refusal {
                    continuation.resume(returning: refusal)
                } else if mustWake {
                    poller.wake()
                }
            }
        } onCancel: {
            slot.giveUp(wait: number, with: .cancelled)
        }
    }
}
