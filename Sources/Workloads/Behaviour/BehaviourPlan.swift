package import RigModel
import Threading

/// Draws how a client behaves in its next use. Pure: the same generator gives the same behaviour.
package struct BehaviourPlan: Sendable {
    private let shares: ClientBehaviour
    /// A statement is cancelled somewhere within this time after it was sent.
    private let statementTime: Duration

    package init(_ shares: ClientBehaviour, statementTime: Duration) {
        self.shares = shares
        self.statementTime = statementTime
    }

    /// - Parameter number: of the operation; tells what it leaves behind apart from what others leave.
    /// - Returns: `nil`: it does its operation and nothing else.
    package func draw(
        for request: UseRequest, number: Int64, _ generator: inout SeededGenerator
    ) -> UseBehaviour? {
        guard shares.isDrawn else { return nil }
        var behaviour = UseBehaviour()
        behaviour.number = number
        // Every draw is made in every case, so that a share that changes does not change the other draws.
        let cancelDraw = (generator.nextUnit(), generator.nextUnit(), generator.nextUnit())
        let throwDraw = generator.nextUnit()
        let transactionDraw = generator.nextUnit()
        let resultDraw = generator.nextUnit()
        let holdDraw = generator.nextUnit()
        let nestedDraw = generator.nextUnit()
        let residueDraws = shares.residue.map { ($0, generator.nextUnit()) }
        if request.leaks { return nil }
        if let cancel = shares.cancel, cancel.isByQuota || cancelDraw.0 < cancel.share {
            behaviour.cancel = self.cancel(cancel.at, request, cancelDraw.1, cancelDraw.2)
        }
        if !request.isInspection {
            // A client ends its use in one way.
            if throwDraw < shares.throwShare {
                behaviour.throwsInside = true
            } else if transactionDraw < shares.abandonTransaction {
                behaviour.abandons = .transaction
            } else if resultDraw < shares.abandonResult {
                behaviour.abandons = .result
            }
        }
        if let hold = shares.hold, holdDraw < hold.share { behaviour.hold = hold.duration }
        behaviour.isNested = nestedDraw < shares.nested
        // In an abandoned transaction it would vanish with it.
        if behaviour.abandons != .transaction {
            behaviour.residue = residueDraws.filter { $0.1 < $0.0.share }.map(\.0.kind)
        }
        return behaviour.isPlain ? nil : behaviour
    }

    private func cancel(
        _ wanted: CancelMoment?, _ request: UseRequest, _ draw: Double, _ delayDraw: Double
    ) -> UseBehaviour.Cancel? {
        let possible = CancelMoment.allCases.filter { moment in
            request.isTransaction || (moment != .begin && moment != .commit)
        }
        let at = wanted ?? possible[min(Int(draw * Double(possible.count)), possible.count - 1)]
        guard possible.contains(at) else { return nil }
        func drawn(_ longest: Duration) -> Duration { .nanoseconds(Int64(delayDraw * longest.seconds * 1e9)) }
        return UseBehaviour.Cancel(
            at: at, delay: drawn(longestDelay(at, isNamed: wanted != nil)),
            delayElsewhere: drawn(statementTime + Self.roundTrips), isByQuota: shares.cancel?.isByQuota == true)
    }

    /// What a use takes beside the time of its statement, in a process of its own: so that its COMMIT is met, too.
    private static let roundTrips = Duration.milliseconds(5)

    /// About how long the moment lasts. One that was named is met at its begin: later it may be over.
    private func longestDelay(_ moment: CancelMoment, isNamed: Bool) -> Duration {
        if isNamed, moment == .begin || moment == .commit { return .zero }
        return switch moment {
        case .queue: .milliseconds(1)
        case .begin, .commit: .microseconds(150)
        case .query: max(statementTime, .milliseconds(1))
        case .connect, .check, .result, .release: .zero
        }
    }
}
