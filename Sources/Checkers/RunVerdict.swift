package import RigModel

/// The verdict of a run: the worst of its invariants, and of the conditions without which a green invariant means
/// nothing. Worst wins: invalid, then unknown, then valid.
package struct RunVerdict: Sendable, Equatable {
    package var verdict: Verdict
    /// Why the verdict is not the invariants' alone, one sentence each.
    package var notes: [String]

    /// - Parameters:
    ///   - invariants: what the checkers came to.
    ///   - faults: the injections that the history tells of.
    ///   - expectedInjections: how many the schedule planned; `nil`: nobody knows, and `historyProblem` says why.
    ///   - operations: what the workers did.
    ///   - configuredKinds: the kinds of operations in the scenario's mix.
    ///   - historyProblem: why the history cannot be trusted to be complete; `nil` when it ends with its digest.
    package init(
        invariants: [InvariantResult], faults: FaultTimeline, expectedInjections: Int?, operations: OperationKinds,
        configuredKinds: [String], historyProblem: String? = nil
    ) {
        var notes: [String] = []
        if let historyProblem { notes.append("The history is not complete: \(historyProblem).") }
        if invariants.isEmpty { notes.append("No invariant was checked: there is nothing that could be valid.") }

        let injected = faults.injections.filter { $0.inject != nil }
        if let expectedInjections, injected.count < expectedInjections {
            notes.append(
                "\(counted(expectedInjections, "fault")) should have been injected, but only \(injected.count) "
                    + "\(injected.count == 1 ? "was" : "were").")
        }
        for injection in faults.injections where injection.landed != true {
            let reason = injection.landed == nil ? "its proof never came" : Self.text(of: injection.evidence)
            notes.append("The fault \(injection.name) did not land: \(reason).")
        }
        for injection in injected {
            if injection.heal == nil {
                notes.append("The fault \(injection.name) was never healed.")
            } else if injection.healOK != true {
                notes.append("The fault \(injection.name) could not be healed.")
            }
        }
        for injection in injected where injection.landed == true && !operations.met(injection) {
            notes.append(
                "No operation was in flight while the fault \(injection.name) was active: it has tested nothing.")
        }
        for kind in operations.neverTried(of: configuredKinds) {
            notes.append("No operation of kind \(kind) was ever tried: nothing about it is proven.")
        }
        for kind in operations.neverSucceeded {
            let tries = operations.counts[kind]?.invoked ?? 0
            notes.append(
                "No operation of kind \(kind) ever succeeded (\(tries) tried): nothing about it is proven.")
        }
        self.notes = notes
        verdict = invariants.map(\.verdict).reduce(notes.isEmpty ? .valid : .unknown, max)
    }

    private static func text(of evidence: JSONValue?) -> String {
        switch evidence {
        case nil, .null?: "no evidence was given"
        case let value?: EvidenceWords.reason(value)
        }
    }
}
