import RigModel
import Threading

/// What the machine does about a server that is away: back-off, circuit breaker, connections that are dead on arrival.
extension PoolStateMachine {
    /// The next connect waits: a random time up to a bound that doubles with each failure in a row (full jitter).
    mutating func beginBackoff(_ now: MonotonicInstant) {
        connectFailuresInRow += 1
        troubles += 1
        let bound = min(
            configuration.backoffCap.seconds,
            configuration.backoffFirst.seconds * Double(1 << min(connectFailuresInRow - 1, 30)))
        noConnectBefore = now.advanced(by: .seconds(generator.nextUnit() * bound))
        if failingSince == nil { failingSince = now }
    }

    mutating func endBackoff() {
        connectFailuresInRow = 0
        noConnectBefore = MonotonicInstant(nanoseconds: 0)
    }

    /// A connection was lost before it had answered anything: something accepts connections and drops them. For the
    /// back-off that is a failed connect; without it the pool would open connections as fast as it can. Those that were on
    /// their way together are one trouble.
    mutating func noteDeadOnArrival(_ slot: Int, _ now: MonotonicInstant) {
        guard phase == .running, slots[slot].openedAfterTroubles == troubles else { return }
        deadOnArrivalInRow += 1
        lastConnectFailure = "connections are dropped before they answer anything (\(deadOnArrivalInRow) in a row)"
        beginBackoff(now)
    }

    /// The connection's server has answered something. That ends the trouble only when the connection was opened after it:
    /// a server or proxy that is full drops new ones while the old ones still answer.
    mutating func noteAnswer(_ slot: Int) {
        slots[slot].hasAnswered = true
        guard deadOnArrivalInRow > 0, slots[slot].openedAfterTroubles == troubles else { return }
        deadOnArrivalInRow = 0
        endBackoff()
    }

    /// Opens the breaker when connects have been failing for long enough, and no connection is open that could come back:
    /// waiting would only end in a timeout.
    mutating func openBreakerIfDue(_ now: MonotonicInstant) {
        guard !isBreakerOpen, let limit = configuration.breakerAfter, let failingSince,
            failingSince.duration(to: now) >= limit, gauges.open == 0
        else { return }
        isBreakerOpen = true
        metrics.breakerOpened += 1
        while let waiter = waiters.popFirst() {
            actions.append(.refuse(waiter: waiter.turn.ticket, breakerError(now)))
        }
    }

    func breakerError(_ now: MonotonicInstant) -> PoolError {
        .breakerOpen(
            failingFor: failingSince.map { $0.duration(to: now) } ?? .zero, lastConnectFailure: lastConnectFailure ?? ""
        )
    }
}
