package import Orchestrator

/// One way in which a pool can be wrong, the invariant that must find it, and the run that must show it.
package struct Defect: Sendable {
    /// The shapes of real pool bugs (`facts/pools.md` §4), by what goes wrong.
    package enum Family: String, Sendable, CaseIterable {
        case cancellation
        case leftBehind = "left-behind"
        case deadConnections = "dead-connections"
        case noRecovery = "no-recovery"
        case passedOn = "passed-on"
        case bounds
        case unbounded = "unbounded-waits"
        case lifetime
        case retry
        case deadline
        case holders
        case queue
        case metrics
        case growth
    }

    package let name: String
    package let family: Family
    /// What is wrong, in one line.
    package let summary: String
    /// The invariant that it must turn red.
    package let invariant: String
    /// In the title of the finding that must be there; `nil`: any finding of the invariant will do.
    package let finding: String?
    package let trial: Trial
    /// One of the dozen of `--short`.
    package let isInShort: Bool
    /// Plants it anew for one run.
    package let plant: @Sendable () -> PoolDecoration

    init(
        _ name: String, _ family: Family, _ summary: String, breaks invariant: String, by finding: String? = nil,
        in trial: Trial, short isInShort: Bool = false,
        plant: @escaping @Sendable () -> PoolDecoration
    ) {
        self.name = name
        self.family = family
        self.summary = summary
        self.invariant = invariant
        self.finding = finding
        self.trial = trial
        self.isInShort = isInShort
        self.plant = plant
    }

    /// One that sits below the pool.
    init(
        _ name: String, _ family: Family, _ summary: String, breaks invariant: String, by finding: String? = nil,
        in trial: Trial, short isInShort: Bool = false,
        driver: @escaping @Sendable () -> any DriverDefect
    ) {
        self.init(name, family, summary, breaks: invariant, by: finding, in: trial, short: isInShort) {
            let defect = driver()
            var decoration = PoolDecoration()
            decoration.driver = { PlantedDriver($0, defect) }
            return decoration
        }
    }

    /// One that sits between the pool and its clients.
    init(
        _ name: String, _ family: Family, _ summary: String, breaks invariant: String, by finding: String? = nil,
        in trial: Trial, short isInShort: Bool = false,
        pool: @escaping @Sendable () -> any PoolDefect
    ) {
        self.init(name, family, summary, breaks: invariant, by: finding, in: trial, short: isInShort) {
            let defect = pool()
            var decoration = PoolDecoration()
            decoration.pool = { PlantedPool($0, defect) }
            return decoration
        }
    }
}
