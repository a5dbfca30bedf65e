import ConnectionPool

/// How often what happened. What never happened was not explored.
package struct SimulationCoverage: Sendable, Equatable {
    /// The machine's answers, by kind; `close` actions by reason, refusals by error.
    package enum Outcome: Int, Sendable, CaseIterable {
        case lentFast, lentAtOnce, refusedClosed, refusedTooMany, refusedLate, refusedByBreaker
        case connect, check, reset, cancelStatement, cut, abort, cancelConnect, grant, grantOvertaking, grantReturned
        case waiterTimedOut, waiterCancelled, waiterClosed, waiterBroken
        case leakSuspected, leakCleared, leaked, closingNotice, filled, closed
        case closeMaxLifetime, closeMaxIdle, closeMaxIdleTime, closeLost, closeUnusable, closeLeaked, closeResized
        case closeRetired, closePoolClosed
    }

    private var kinds = [Int](repeating: 0, count: SimulatedEvent.Kind.allCases.count)
    private var outcomes = [Int](repeating: 0, count: Outcome.allCases.count)

    package init() {}

    @inline(__always)
    mutating func add(_ kind: SimulatedEvent.Kind) { kinds[kind.rawValue] &+= 1 }

    @inline(__always)
    mutating func add(_ outcome: Outcome) { outcomes[outcome.rawValue] &+= 1 }

    package mutating func add(_ other: SimulationCoverage) {
        for index in kinds.indices { kinds[index] += other.kinds[index] }
        for index in outcomes.indices { outcomes[index] += other.outcomes[index] }
    }

    package func count(of kind: SimulatedEvent.Kind) -> Int { kinds[kind.rawValue] }

    package func count(of outcome: Outcome) -> Int { outcomes[outcome.rawValue] }

    /// What never happened, by name.
    package var missing: [String] {
        SimulatedEvent.Kind.allCases.filter { count(of: $0) == 0 }.map { "\($0)" }
            + Outcome.allCases.filter { count(of: $0) == 0 }.map { "\($0)" }
    }
}

extension SimulationCoverage.Outcome {
    init(_ reason: CloseReason) {
        self =
            switch reason {
            case .maxLifetime: .closeMaxLifetime
            case .maxIdle: .closeMaxIdle
            case .maxIdleTime: .closeMaxIdleTime
            case .lost: .closeLost
            case .unusable: .closeUnusable
            case .leaked: .closeLeaked
            case .resized: .closeResized
            case .retired: .closeRetired
            case .poolClosed: .closePoolClosed
            }
    }
}
