import RigModel

/// Combinations that cannot work or cannot mean what they say.
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
        if !(1...Self.instanceLimit).contains(pool.instances) {
            complain("instances", "1 to \(Self.instanceLimit) was expected")
        } else if pool.instances > 1, pool.process == .child {
            complain("instances", "several pools need the rig's own process (pool.process: rig)")
        } else if pool.maxOpen <= Self.connectionLimit, pool.totalOpen > Self.connectionLimit {
            complain("instances", "\(pool.totalOpen) connections in all; at most \(Self.connectionLimit)")
        }
        if pool.maxOpen < 1 { complain("max-open", "at least 1 was expected") }
        if pool.maxOpen > Self.connectionLimit { complain("max-open", "at most \(Self.connectionLimit)") }
        if pool.minIdle > pool.maxOpen {
            complain("min-idle", "\(pool.minIdle) is more than max-open (\(pool.maxOpen))")
        }
        if let maxIdle = pool.maxIdle {
            if maxIdle > pool.maxOpen { complain("max-idle", "\(maxIdle) is more than max-open (\(pool.maxOpen))") }
            if pool.minIdle > maxIdle { complain("min-idle", "\(pool.minIdle) is more than max-idle (\(maxIdle))") }
        }
        for (key, value) in [
            ("acquire-timeout", pool.acquireTimeout), ("connect-timeout", pool.connectTimeout),
            ("statement-timeout", pool.statementTimeout), ("check-timeout", pool.checkTimeout),
            ("release-timeout", pool.releaseTimeout),
            ("close-timeout", pool.closeTimeout), ("health-check-interval", pool.healthCheckInterval),
            ("breaker-after", pool.breakerAfter),
        ] where value == .zero {
            complain(key, "more than 0s was expected")
        }
        for (key, value) in [
            ("max-lifetime", pool.maxLifetime), ("max-idle-time", pool.maxIdleTime),
            ("leak-threshold", pool.leakThreshold),
        ] where value == .zero {
            complain(key, "more than 0s was expected; leave it out for no limit")
        }
        if pool.maxConnecting < 1 { complain("max-connecting", "at least 1 was expected") }
        if !(1...15).contains(pool.retryAttempts) { complain("retry-attempts", "1 to 15 was expected") }
        if pool.backoffFirst > pool.backoffCap {
            log.add(
                backoff.keys.isEmpty ? section.position : backoff.position("first"),
                "reconnect-backoff: first is longer than cap")
        }
    }

    func check(_ workload: Scenario.Workload, _ section: SectionReader, _ site: WorkloadSite) {
        func complain(_ key: String, _ message: String) { log.add(section.position(key), "\(key): \(message)") }
        if workload.clients < 1 { complain("clients", "at least 1 was expected: without clients nothing is tested") }
        if workload.clients > Self.clientLimit { complain("clients", "at most \(Self.clientLimit)") }
        if workload.clients <= Self.clientLimit,
            workload.clients * min(workload.behaviour.burstFactor, Self.clientLimit) > Self.clientLimit
        {
            log.add(
                section.node("behaviour")?.position(of: ["burst", "factor"]) ?? section.position,
                "workload.behaviour.burst: factor: \(workload.behaviour.burstFactor) times \(workload.clients) clients is more than "
                    + "\(Self.clientLimit)")
        }
        if !(2...Self.accountLimit).contains(workload.accounts) {
            complain("accounts", "2 to \(Self.accountLimit) was expected: a transfer needs two")
        }
        if !(1...Self.textLimit).contains(workload.distinctStatements) {
            complain("distinct-statements", "1 to \(Self.textLimit) was expected")
        }
        for (key, isSet) in [("isolation", workload.isolation != nil), ("prepared", !workload.prepared)] where isSet {
            if site.isEmbedded { complain(key, "needs a PostgreSQL target") }
            if site.isChild { complain(key, "needs the pool in the rig's own process (pool.process: rig)") }
        }
        if workload.rate == 0 { complain("rate", "more than 0/s was expected; leave it out for a closed model") }
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
