import ConnectionPool
import Threading

/// What a pool must be able to do in the end.
extension SimulatedWorld {
    /// The server is well and every lease comes back: nobody may have to wait for long, and the pool fills up.
    mutating func settle() throws(SimulationFailure) {
        if isSuspended { _ = try control(.resume) }
        try untilQuiet("somebody waited when the server became well, and is not served") {
            $0.waiters.isEmpty
        }
        try acquire(within: 3_600_000_000_000, loop: -1, isQuick: true)
        try untilQuiet("no connection for a newcomer although the server is well") { $0.waiters.isEmpty }
        if canStayFilled {
            try untilQuiet("not as many idle connections as there must be although the server is well") {
                $0.idle >= $0.configuration.idleTarget && $0.leases.isEmpty
            }
            if !hasFilled { throw failure("nobody was told that the pool is filled") }
        }
        try checkCounts()
    }

    /// Connections live long enough for the rate at which they may be opened.
    private var canStayFilled: Bool {
        guard let lifetime = limits.lifetime, let interval = limits.connectInterval else { return true }
        return lifetime.earliest > 2 * interval * UInt64(configuration.idleTarget)
    }

    /// Answers every call well and gives every lease back until something holds.
    private mutating func untilQuiet(
        _ complaint: String, _ isQuiet: (SimulatedWorld) -> Bool
    ) throws(SimulationFailure) {
        // Every connection may have to be found dead first, with a pause after each, and be opened again at its rate.
        let rounds = UInt64(configuration.maxOpen + connections.count)
        let patience = rounds * (limits.backoffCap + (limits.connectInterval ?? 0) + 10_000_000) + 1_000_000_000
        let limit = now.nanoseconds + patience
        while true {
            while let lease = leases.first {
                try giveBack(0, connections[lease.handle.slot].isDead ? .unusable : .clean, isQuick: true)
            }
            for _ in 0..<calls.count where !calls.isEmpty { try answer(0, .well) }
            if isQuiet(self) { return }
            if now.nanoseconds >= limit { throw failure(complaint) }
            // Slower than that and the calls that this begins would end by their limits.
            let pause = min(2_000_000, min(limits.connect, min(limits.check, limits.release)) / 2)
            try pass(Int(max(pause, 10_000)))
        }
    }

    /// The limit of the close passes. By then everything has ended by itself or by force.
    mutating func finish() throws(SimulationFailure) {
        if !isClosing { _ = try control(.close(cancelAfter: 5_000_000, cutAfter: 10_000_000)) }
        try pass(Int(cutAt.nanoseconds - min(cutAt.nanoseconds, now.nanoseconds)))
        if !isClosed { throw failure("the close does not end: \(machine.gauges)") }
        if existing > 0 || !leases.isEmpty || !calls.isEmpty || !waiters.isEmpty || fillWaiters > 0 {
            throw failure("something is left after the close")
        }
        // Leases that were cut come back late, which must mean nothing.
        while !cutLeases.isEmpty { try releaseCut(0) }
        try acquire(within: 1_000_000_000, loop: 0, isQuick: true)
        try checkCounts()
    }

    /// The machine's counters against the world's.
    private func checkCounts() throws(SimulationFailure) {
        let told = machine.snapshot()
        for (name, told, seen) in [
            ("acquireCount", told.acquireCount, counts.lent), ("waitCount", told.waitCount, counts.lentAfterWait),
            ("acquireTimeouts", told.acquireTimeouts, counts.timeouts),
            ("acquireCancelled", told.acquireCancelled, counts.cancelled),
            ("connectsOpened", told.connectsOpened, counts.connects),
            ("connectFailures", told.connectFailures, counts.connectFailures),
            ("healthChecksOK", told.healthChecksOK, counts.checksWell),
            ("healthChecksFailed", told.healthChecksFailed, counts.checksFailed),
            ("resets", told.resets, counts.resets),
            ("leaksSuspected", told.leaksSuspected, counts.leaksSuspected),
            ("maxIdleClosed", told.maxIdleClosed, counts.closedByIdleLimit),
            ("maxIdleTimeClosed", told.maxIdleTimeClosed, counts.closedByIdleTime),
            ("maxLifetimeClosed", told.maxLifetimeClosed, counts.closedByLifetime),
            ("lostClosed", told.lostClosed, counts.closedAsLost),
        ] where told != seen {
            throw failure("\(name) is told as \(told); in truth it is \(seen)")
        }
    }
}
