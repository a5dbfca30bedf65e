import RigModel

/// Values that are too large, and combinations that cannot work or cannot mean what they say. What is too small for its key by
/// itself the shape of the section knows: ``LowerBound``.
struct ScenarioRules {
    private static let clientLimit = 100_000
    private static let connectionLimit = 10_000
    private static let instanceLimit = 100
    private static let accountLimit = 100_000
    private static let textLimit = 100_000
    private static let operationLimit = 50_000_000.0
    private static let lengthLimit = Duration.seconds(86_400)

    let log: ProblemLog

    func check(_ pool: Scenario.Pool, _ section: SectionReader, _ backoff: SectionReader) {
        func complain(_ key: String, _ message: String) { log.add(section.position(key), "\(key): \(message)") }
        if pool.instances > Self.instanceLimit {
            complain("instances", "at most \(Self.instanceLimit)")
        } else if pool.instances > 1, pool.process == .child {
            complain("instances", "several pools need the rig's own process (pool.process: rig)")
        } else if pool.maxOpen <= Self.connectionLimit, pool.totalOpen > Self.connectionLimit {
            complain("instances", "\(pool.totalOpen) connections in all; at most \(Self.connectionLimit)")
        }
        if pool.maxOpen > Self.connectionLimit { complain("max-open", "at most \(Self.connectionLimit)") }
        if pool.minIdle > pool.maxOpen {
            complain("min-idle", "\(pool.minIdle) is more than max-open (\(pool.maxOpen))")
        }
        if let maxIdle = pool.maxIdle {
            if maxIdle > pool.maxOpen { complain("max-idle", "\(maxIdle) is more than max-open (\(pool.maxOpen))") }
            if pool.minIdle > maxIdle { complain("min-idle", "\(pool.minIdle) is more than max-idle (\(maxIdle))") }
        }
        if pool.retryAttempts > 15 { complain("retry-attempts", "at most 15") }
        if pool.backoffFirst > pool.backoffCap {
            log.add(
                backoff.keys.isEmpty ? section.position : backoff.position("first"),
                "reconnect-backoff: first is longer than cap")
        }
    }

    func check(_ workload: Scenario.Workload, _ section: SectionReader, _ site: WorkloadSite) {
        func complain(_ key: String, _ message: String) { log.add(section.position(key), "\(key): \(message)") }
        if workload.clients > Self.clientLimit { complain("clients", "at most \(Self.clientLimit)") }
        if workload.clients <= Self.clientLimit,
            workload.clients * min(workload.behaviour.burstFactor, Self.clientLimit) > Self.clientLimit
        {
            log.add(
                section.node("behaviour")?.position(of: ["burst", "factor"]) ?? section.position,
                "workload.behaviour.burst: factor: \(workload.behaviour.burstFactor) times \(workload.clients) clients is more than "
                    + "\(Self.clientLimit)")
        }
        if workload.accounts > Self.accountLimit { complain("accounts", "at most \(Self.accountLimit)") }
        if workload.distinctStatements > Self.textLimit {
            complain("distinct-statements", "at most \(Self.textLimit)")
        }
        for (key, isSet) in [("isolation", workload.isolation != nil), ("prepared", !workload.prepared)] where isSet {
            if site.isEmbedded { complain(key, "needs a PostgreSQL target") }
            if site.isChild { complain(key, "needs the pool in the rig's own process (pool.process: rig)") }
        }
        if !workload.mix.isEmpty, workload.mix.allSatisfy({ $0.weight == 0 }) {
            complain("mix", "every weight is 0: nothing would be done")
        }
    }

    func check(_ workload: Scenario.Workload, _ phases: Scenario.Phases, _ scenario: SectionReader) {
        let length = phases.warmUp + phases.steady + phases.faults + phases.settle
        let position = scenario.position("phases")
        if length == .zero { log.add(position, "phases: all are 0s: nothing would run") }
        if length > Self.lengthLimit {
            log.add(position, "phases: \(ParameterValue.text(of: length)) in all; a run takes at most 24h")
        }
        let (seconds, attoseconds) = length.components
        let operations = (workload.rate ?? 0) * (Double(seconds) + Double(attoseconds) * 1e-18)
        if operations > Self.operationLimit {
            let count = operations < 1e15 ? "\(Int64(operations))" : "over 1000000000000000"
            log.add(
                scenario.position("workload"),
                "workload: \(count) operations; the history of a run holds at most "
                    + "\(Int64(Self.operationLimit)). Lower the rate or shorten the phases")
        }
    }
}
