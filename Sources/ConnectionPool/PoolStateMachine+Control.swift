import RigModel
public import Threading

/// What an operator may do to a running pool.
extension PoolStateMachine {
    /// Changes the limits. Growing serves waiters at once; shrinking closes idle connections now, and those in use when they
    /// come back. O(connections).
    ///
    /// - Parameter maxIdle: `nil`: as many as `maxOpen`.
    public mutating func resize(maxOpen: Int, minIdle: Int, maxIdle: Int?, now: MonotonicInstant) {
        guard phase == .running else { return }
        configuration.maxOpen = max(1, maxOpen)
        configuration.minIdle = max(0, minIdle)
        configuration.maxIdle = maxIdle.map { max(0, $0) }
        idleLimit = configuration.idleLimit
        idleTarget = configuration.idleTarget
        metrics.maxOpenConnections = configuration.maxOpen
        if slots.count < configuration.maxOpen {
            freeSlots.insert(contentsOf: (slots.count..<configuration.maxOpen).reversed(), at: 0)
            slots.append(contentsOf: repeatElement(Slot(), count: configuration.maxOpen - slots.count))
        }
        while let first = idleStack.first,
            idleStack.count > idleLimit || occupied - closing > configuration.maxOpen
        {
            idleStack.removeFirst()
            beginClose(first, .resized, now)
        }
        isShrinking = occupied > configuration.maxOpen
        noteFilled()
        supply(now)
    }

    /// Lends nothing any more until ``resume(now:)``: acquires wait, within their deadlines. Leases that are out go on.
    public mutating func suspend(now: MonotonicInstant) { isSuspended = true }

    /// Lends again; those who waited come first.
    public mutating func resume(now: MonotonicInstant) {
        guard isSuspended else { return }
        isSuspended = false
        supply(now)
    }

    /// Replaces every connection that is open now, for example after a failover: idle ones are closed at once, the others
    /// when they come back. Leases are not disturbed. O(connections).
    public mutating func retireAll(now: MonotonicInstant) {
        guard phase == .running else { return }
        retiredBelow = nextSerial
        for slot in idleStack { beginClose(slot, .retired, now) }
        idleStack = []
        supply(now)
    }

    /// Tells once that as many connections as ``PoolConfiguration/idleTarget`` says are open.
    mutating func noteFilled() {
        guard !hasFilled, phase == .running, gauges.open >= configuration.idleTarget else { return }
        hasFilled = true
        actions.append(.filled)
    }

    /// Up to a quarter earlier than configured, so that connections that were opened together are not checked together.
    mutating func checkInterval() -> UInt64 {
        let interval = Double(max(0, configuration.healthCheckInterval.nanoseconds))
        return UInt64(interval * (1 - 0.25 * generator.nextUnit()))
    }
}
