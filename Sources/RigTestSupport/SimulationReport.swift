package import Threading

/// What happened in a simulation. A kind of event that never happened was not explored.
package struct SimulationStatistics: Sendable, Equatable {
    package var events = 0
    package var lentAtOnce = 0
    package var granted = 0
    package var refused = 0
    package var timedOut = 0
    package var cancelled = 0
    /// Grants whose borrower was cancelled before it could take them.
    package var refusedGrants = 0
    package var foundDead = 0
    package var losses = 0
    package var released = 0
    package var checks = 0
    package var resets = 0
    package var connectsFailed = 0
    package var leaksSuspected = 0
    package var cut = 0

    package init() {}

    package mutating func add(_ other: SimulationStatistics) {
        events += other.events
        lentAtOnce += other.lentAtOnce
        granted += other.granted
        refused += other.refused
        timedOut += other.timedOut
        cancelled += other.cancelled
        refusedGrants += other.refusedGrants
        foundDead += other.foundDead
        losses += other.losses
        released += other.released
        checks += other.checks
        resets += other.resets
        connectsFailed += other.connectsFailed
        leaksSuspected += other.leaksSuspected
        cut += other.cut
    }
}

/// The first thing that did not hold, and what led to it.
package struct SimulationFailure: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    /// The number of the event after which it was seen.
    package let event: Int
    package let now: MonotonicInstant
    /// The last events, the newest last.
    package let trace: [String]

    package var description: String {
        "after event \(event): \(message)\n" + trace.map { "  \($0)" }.joined(separator: "\n")
    }
}
