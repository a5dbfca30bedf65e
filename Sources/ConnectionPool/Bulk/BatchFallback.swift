import RigModel

/// How a batch that is all or nothing goes on when one of its items fails. Pure.
///
/// The item that failed has its error, and the others are run again without it: nothing of them was applied, and without it
/// they do what they would have done one after the other. After a few such rounds each of the rest stands for itself.
struct BatchFallback {
    /// What is run next.
    enum Step: Equatable {
        case run(items: [Int], BatchAtomicity)
        case done
    }

    private let maxRounds = 3
    private var round = 0
    private(set) var results: [Result<SQLResult, DriverError>?]
    private var open: [Int]
    private var atomicity: BatchAtomicity
    private(set) var sawDeadlock = false
    private(set) var fellBack = false

    init(count: Int, atomicity: BatchAtomicity) {
        results = Array(repeating: nil, count: count)
        open = Array(0..<count)
        self.atomicity = atomicity
    }

    var next: Step { open.isEmpty ? .done : .run(items: open, atomicity) }

    /// A round has ended, with a result for each of its items.
    mutating func take(_ outcomes: [Result<SQLResult, DriverError>]) {
        round += 1
        let failures = outcomes.compactMap(\.failure)
        if failures.contains(where: { $0.cause == .server(sqlState: "40P01") }) { sawDeadlock = true }
        let neverSent = failures.count == outcomes.count && failures.allSatisfy { $0.provesLoss && !$0.requestSent }
        if neverSent, round == 1 { return }  // On another connection.
        let culprits = outcomes.indices.filter { outcomes[$0].failure.map { !$0.isConsequence } ?? false }
        guard atomicity == .allOrNothing, outcomes.count > 1, let first = culprits.first,
            let error = outcomes[first].failure, Self.isKnownNotApplied(error)
        else { return settle(outcomes) }
        fellBack = true
        // A deadlock or a conflict is nobody's own fault, and neither is an error of the COMMIT, which all have.
        let isOnesOwn = culprits.count == 1 && error.cause.code?.hasPrefix("40") != true
        if isOnesOwn {
            results[open[first]] = .failure(error)
            open.remove(at: first)
        }
        if round >= maxRounds || !isOnesOwn { atomicity = .independent }
    }

    private mutating func settle(_ outcomes: [Result<SQLResult, DriverError>]) {
        for (item, outcome) in zip(open, outcomes) { results[item] = outcome }
        open = []
    }

    /// The server, or the embedded database, refused the statement and is still there: the whole was rolled back.
    private static func isKnownNotApplied(_ error: DriverError) -> Bool {
        switch error.cause {
        case .server(let state): state != "08007" && state != "40003"
        case .embedded(let code): !code.hasPrefix("SQLITE_IOERR")
        default: false
        }
    }
}

extension DriverError {
    /// It failed only because another item of its batch did; see ``rolledBack(with:)`` and ``notRun(after:)``.
    var isConsequence: Bool { cause == .server(sqlState: "25P02") }
}
