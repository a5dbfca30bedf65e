/// One run of the self-test: of a defect, or of the untouched pool.
package struct TrialRun: Sendable {
    /// The defect's name; `nil`: nothing is planted.
    package let defect: Defect?
    package let trial: Trial

    package var name: String { defect?.name ?? "untouched pool in \(trial.scenario)" }

    /// The runs of these defects, and of the untouched pool in each of their scenarios: all that defects ask of the same run is
    /// judged in one.
    package static func plan(_ defects: [Defect]) -> (defects: [TrialRun], untouched: [TrialRun]) {
        var untouched: [Trial] = []
        for trial in defects.map(\.trial) {
            if let known = untouched.firstIndex(where: { $0.canJoin(trial) }) {
                untouched[known] = untouched[known].joined(with: trial)
            } else {
                untouched.append(trial)
            }
        }
        return (
            defects.map { TrialRun(defect: $0, trial: $0.trial) }, untouched.map { TrialRun(defect: nil, trial: $0) }
        )
    }
}

/// What a run of the self-test came to.
package struct TrialResult: Sendable, Equatable {
    package enum End: String, Sendable {
        /// The right invariant is red; or, with nothing planted, the run is green.
        case good
        /// The invariant is green although the defect was there; or the untouched pool is red.
        case bad
        /// The invariant could not be judged.
        case undecided
        /// The run came to no report.
        case failed
    }

    package var name: String
    /// `nil` for the untouched pool.
    package var invariant: String?
    package var scenario: String
    package var end: End
    /// From the begin of the run until the history shows it.
    package var secondsToDetection: Double?
    /// How long the whole run took.
    package var took: Duration
    /// All invariants that are red.
    package var red: [String]
    /// Why it is not good; or what was found.
    package var words: String

    package init(
        name: String, invariant: String?, scenario: String, end: End, secondsToDetection: Double? = nil,
        took: Duration, red: [String] = [], words: String
    ) {
        self.name = name
        self.invariant = invariant
        self.scenario = scenario
        self.end = end
        self.secondsToDetection = secondsToDetection
        self.took = took
        self.red = red
        self.words = words
    }
}
