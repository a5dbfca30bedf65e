import RigModel

/// Reads `pool:`.
struct PoolSection {
    let log: ProblemLog

    func read(_ node: YAMLNode?, _ rules: ScenarioRules) -> Scenario.Pool {
        var pool = Scenario.Pool()
        let section = SectionReader(node, .pool, log)
        section.choice("process", into: &pool.process)
        if let node = section.node("adapter") { pool.adapter = words(node) }
        if pool.adapter != nil {
            if section.keys.contains("process"), pool.process == .rig {
                log.add(section.position("process"), "process: an adapter is always a child; leave process out")
            }
            pool.process = .child
        }
        section.count("instances", into: &pool.instances)
        section.count("max-open", into: &pool.maxOpen)
        section.count("min-idle", into: &pool.minIdle)
        section.count("max-idle", into: &pool.maxIdle)
        section.count("max-waiters", into: &pool.maxWaiters)
        section.duration("max-lifetime", into: &pool.maxLifetime)
        section.share("max-lifetime-jitter", into: &pool.maxLifetimeJitter)
        section.duration("max-idle-time", into: &pool.maxIdleTime)
        section.duration("acquire-timeout", into: &pool.acquireTimeout)
        section.duration("connect-timeout", into: &pool.connectTimeout)
        section.duration("statement-timeout", into: &pool.statementTimeout)
        section.flag("server-statement-timeout", into: &pool.tellsServerStatementTimeout)
        section.duration("check-timeout", into: &pool.checkTimeout)
        section.duration("release-timeout", into: &pool.releaseTimeout)
        section.duration("close-timeout", into: &pool.closeTimeout)
        section.duration("check-after-idle", into: &pool.checkAfterIdle)
        section.duration("health-check-interval", into: &pool.healthCheckInterval)
        section.duration("leak-threshold", into: &pool.leakThreshold)
        section.choice("idle-order", into: &pool.idleOrder)
        section.choice("reset", into: &pool.reset)
        section.count("max-connecting", into: &pool.maxConnecting)
        section.duration("breaker-after", into: &pool.breakerAfter)
        let backoff = SectionReader(section.node("reconnect-backoff"), section.shape.section("reconnect-backoff"), log)
        backoff.duration("first", into: &pool.backoffFirst)
        backoff.duration("cap", into: &pool.backoffCap)
        backoff.finish()
        section.choice("commit-doubt", into: &pool.commitDoubt)
        section.choice("retry", into: &pool.retry)
        section.count("retry-attempts", into: &pool.retryAttempts)
        section.duration("retry-budget", into: &pool.retryBudget)
        section.finish()
        rules.check(pool, section, backoff)
        return pool
    }

    /// A command: program and arguments.
    private func words(_ node: YAMLNode) -> [String]? {
        guard case .sequence(let items) = node.content, !items.isEmpty else {
            log.add(
                node.position, "adapter: a list of words was expected (program, arguments), not \(node.kindInWords)")
            return nil
        }
        return items.compactMap { item in
            if case .scalar(let text, _) = item.content { return text }
            log.add(item.position, "adapter: a word was expected, not \(item.kindInWords)")
            return nil
        }
    }
}
