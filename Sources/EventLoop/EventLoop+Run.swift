import CLinux
import Threading

extension EventLoop {
    /// The bounds of one round, so that no kind of work keeps the others waiting for long.
    private enum Limit {
        static let events = 128
        static let expiries = 256
        static let jobs = 256
    }

    /// The loop's thread: readiness, then deadlines, then jobs, until `shutdown()`.
    func run() {
        jobs.adopt()
        EventLoop.enter(self)
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: Limit.events)
        defer { events.deallocate() }
        // The thread's own copy of the table: events find their slot without a lock.
        var known = slots.all
        // When the timer will tick; it may be earlier than needed, never later.
        var timerIsSetTo = MonotonicInstant.distantFuture

        while !isStopping {
            let ready = poller.poll(events, block: prepareSleep(&timerIsSetTo))
            for event in events[..<ready] {
                switch poller.source(of: event) {
                case .wakeUp: break
                case .timer: timerIsSetTo = .distantFuture
                case .slot(let index, let generation):
                    if index >= known.count { known = slots.all }
                    known[index].takeEvent(event.events, generation: generation)
                }
            }
            expire(&known)
            jobs.runBatch(limit: Limit.jobs)
        }
        abandonWaits()
        jobs.close()
    }

    /// The last look for work. Sets the timer when the loop may sleep.
    ///
    /// - Returns: whether there is nothing to do.
    private func prepareSleep(_ timerIsSetTo: inout MonotonicInstant) -> Bool {
        poller.announceSleep()
        // From here on whoever adds work sees the announcement, and writes to the eventfd.
        guard jobs.isEmpty, !isStopping else { return false }
        let earliest = deadlines.withLock { $0.earliest }
        if earliest < timerIsSetTo {
            if earliest <= .now { return false }
            poller.setTimer(at: earliest)
            timerIsSetTo = earliest
        }
        return true
    }

    /// Ends the waits, and runs the alarms, whose time has come.
    private func expire(_ known: inout [Slot]) {
        var now = MonotonicInstant.now
        for _ in 0..<Limit.expiries {
            guard let index = deadlines.withLock({ $0.popExpired(at: now) }) else { return }
            if index >= known.count { known = slots.all }
            expire(known[index], at: &now)
        }
    }

    private func expire(_ slot: Slot, at now: inout MonotonicInstant) {
        let (waiter, callback) = slot.state.withLock {
            state -> (Slot.Waiter?, (@Sendable () -> Void)?) in
            state.queuedAt = .distantFuture
            guard state.deadline <= now else {
                // The deadline has moved since. Nobody to wake: this is the loop's thread.
                _ = schedule(slot, &state)
                return (nil, nil)
            }
            let callback = state.onExpiry
            return (state.takeWaiter(), callback)
        }
        waiter?.resume(returning: .timedOut)
        guard let callback else { return }
        callback()
        now = .now
    }

    /// Ends every wait with ``LoopError/stopped``. `isStopping` is set, so no wait can begin behind its back.
    private func abandonWaits() {
        for slot in slots.all {
            let (waiter, callback) = slot.state.withLock {
                state -> (Slot.Waiter?, (@Sendable () -> Void)?) in
                (state.takeWaiter(), state.onExpiry.take())
            }
            waiter?.resume(returning: .stopped)
            withExtendedLifetime(callback) {}
        }
    }
}
