import RigModel

/// A scenario as YAML with every default filled in. It loads again to the same scenario, but for masked passwords.
package enum ResolvedScenario {
    package static func yaml(_ scenario: Scenario) -> String {
        var lines = scenario.summary.isEmpty ? [] : ["# \(scenario.summary)"]
        lines.append("name: \(quoted(scenario.name))")
        lines.append("target: \(target(scenario.target))")
        lines += section("pool", pool(scenario.pool))
        lines += section("workload", workload(scenario.workload))
        lines += section(
            "phases",
            [
                ("warm-up", text(scenario.phases.warmUp)), ("steady", text(scenario.phases.steady)),
                ("faults", text(scenario.phases.faults)), ("settle", text(scenario.phases.settle)),
            ])
        lines.append(scenario.faults.isEmpty ? "faults: []" : "faults:")
        lines += faults(scenario.faults)
        lines.append("invariants:")
        for invariant in scenario.invariants { lines.append("  \(invariant.name): \(flow(invariant.parameters))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func faults(_ entries: [Scenario.FaultEntry]) -> [String] {
        var lines: [String] = []
        var openGroup: Int?
        for (index, fault) in entries.enumerated() {
            guard let group = fault.group else {
                lines.append("  - \(fault.kind): \(flow(fault.parameters))")
                for (key, value) in schedule(fault.schedule) { lines.append("    \(key): \(value)") }
                continue
            }
            if openGroup != group.number {
                openGroup = group.number
                if case .random = group { lines.append("  - random:") } else { lines.append("  - sequence:") }
            }
            lines.append("      - \(fault.kind): \(flow(fault.parameters))")
            if let duration = fault.schedule.duration { lines.append("        for: \(text(duration))") }
            if case .random(_, let weight) = group {
                lines.append("        weight: \(ParameterValue.text(of: weight))")
            }
            if index + 1 < entries.count, entries[index + 1].group?.number == group.number { continue }
            var shared = fault.schedule
            shared.duration = nil
            for (key, value) in schedule(shared) { lines.append("    \(key): \(value)") }
            if case .sequence(_, let gap) = group { lines.append("    gap: \(text(gap))") }
        }
        return lines
    }

    private static func managed(_ options: Scenario.ManagedOptions) -> String {
        (options.standby ? ", standby: true" : "") + (options.tls ? ", tls: true" : "")
            + (options.name ? ", name: true" : "") + (options.pgBouncer.map { ", pgbouncer: \($0.rawValue)" } ?? "")
    }

    private static func target(_ target: Scenario.Target) -> String {
        switch target {
        case .managedPostgres(let options): "{postgres: managed\(managed(options))}"
        case .postgres(let url): "{postgres: {url: \(quoted(SecretMask.inURL(url)))}}  # passwords are masked"
        case .compose(let service, let file): "{compose: \(quoted(service)), file: \(quoted(file))}"
        case .temporarySQLite: "{sqlite: temporary}"
        case .sqlite(let path): "{sqlite: \(quoted(path))}"
        }
    }

    private static func pool(_ pool: Scenario.Pool) -> [(String, String)] {
        var lines = [("process", pool.process.rawValue)]
        if let adapter = pool.adapter {
            lines.append(("adapter", "[\(adapter.map { quoted(SecretMask.inURL($0)) }.joined(separator: ", "))]"))
        }
        lines += [("instances", "\(pool.instances)"), ("max-open", "\(pool.maxOpen)"), ("min-idle", "\(pool.minIdle)")]
        func add(_ key: String, _ value: Int?) { if let value { lines.append((key, "\(value)")) } }
        func add(_ key: String, _ value: Duration?) { if let value { lines.append((key, text(value))) } }
        add("max-idle", pool.maxIdle)
        add("max-waiters", pool.maxWaiters)
        add("max-lifetime", pool.maxLifetime)
        lines.append(("max-lifetime-jitter", ParameterValue.share(pool.maxLifetimeJitter).text))
        add("max-idle-time", pool.maxIdleTime)
        add("acquire-timeout", pool.acquireTimeout)
        add("connect-timeout", pool.connectTimeout)
        add("statement-timeout", pool.statementTimeout)
        lines.append(("server-statement-timeout", "\(pool.tellsServerStatementTimeout)"))
        add("check-timeout", pool.checkTimeout)
        add("release-timeout", pool.releaseTimeout)
        add("close-timeout", pool.closeTimeout)
        add("check-after-idle", pool.checkAfterIdle)
        add("health-check-interval", pool.healthCheckInterval)
        add("leak-threshold", pool.leakThreshold)
        lines.append(("idle-order", pool.idleOrder.rawValue))
        lines.append(("reset", pool.reset.rawValue))
        add("max-connecting", pool.maxConnecting)
        add("breaker-after", pool.breakerAfter)
        lines.append(("reconnect-backoff", "{first: \(text(pool.backoffFirst)), cap: \(text(pool.backoffCap))}"))
        lines.append(("commit-doubt", pool.commitDoubt.rawValue))
        lines.append(("retry", pool.retry.rawValue))
        add("retry-attempts", pool.retryAttempts)
        add("retry-budget", pool.retryBudget)
        return lines
    }

    private static func workload(_ workload: Scenario.Workload) -> [(String, String)] {
        var lines = [("clients", "\(workload.clients)")]
        if let rate = workload.rate { lines.append(("rate", ParameterValue.rate(perSecond: rate).text)) }
        lines.append(("max-lag", text(workload.maxLag)))
        lines.append(("statement-time", text(workload.statementTime)))
        lines.append(("accounts", "\(workload.accounts)"))
        if let isolation = workload.isolation { lines.append(("isolation", isolation.rawValue)) }
        lines.append(("distinct-statements", "\(workload.distinctStatements)"))
        lines.append(("prepared", "\(workload.prepared)"))
        let shares = workload.mix.map { "\($0.kind): \(ParameterValue.text(of: $0.weight))" }
        lines.append(("mix", "{\(shares.joined(separator: ", "))}"))
        let behaviour = behaviour(workload.behaviour)
        if !behaviour.isEmpty { lines.append(("behaviour", "{\(behaviour.joined(separator: ", "))}")) }
        return lines
    }

    /// Only what there is: a client does nothing beside its operations by default.
    private static func behaviour(_ behaviour: ClientBehaviour) -> [String] {
        func share(_ share: Double) -> String { ParameterValue.share(share).text }
        func window(_ window: ClientBehaviour.Window) -> String {
            "every: \(text(window.every)), for: \(text(window.duration))"
        }
        var parts: [String] = []
        if let cancel = behaviour.cancel {
            parts.append("cancel: {share: \(share(cancel.share))\(cancel.at.map { ", at: \($0.rawValue)" } ?? "")}")
        }
        for (key, value) in [
            ("throw", behaviour.throwShare), ("abandon-transaction", behaviour.abandonTransaction),
            ("abandon-result", behaviour.abandonResult), ("nested", behaviour.nested),
        ] where value > 0 {
            parts.append("\(key): \(share(value))")
        }
        if let hold = behaviour.hold {
            parts.append("hold: {share: \(share(hold.share)), for: \(text(hold.duration))}")
        }
        if !behaviour.residue.isEmpty {
            let kinds = behaviour.residue.map { "\($0.kind.rawValue): \(share($0.share))" }
            parts.append("residue: {\(kinds.joined(separator: ", "))}")
        }
        if let burst = behaviour.burst {
            parts.append("burst: {factor: \(behaviour.burstFactor), \(window(burst))}")
        }
        if let quiet = behaviour.quiet { parts.append("quiet: {\(window(quiet))}") }
        if let probe = behaviour.probe {
            parts.append("probe: {every: \(text(probe.every)), limit: \(text(probe.limit))}")
        }
        if let reopen = behaviour.reopen {
            parts.append("reopen: {at: \(text(reopen.at)), in-flight: \(reopen.inFlight)}")
        }
        return parts
    }

    private static func schedule(_ schedule: Scenario.Schedule) -> [(String, String)] {
        var lines = [("at", text(schedule.at))]
        if let every = schedule.every { lines.append(("every", text(every))) }
        if schedule.jitter != .zero { lines.append(("jitter", text(schedule.jitter))) }
        if let times = schedule.times { lines.append(("times", "\(times)")) }
        if let duration = schedule.duration { lines.append(("for", text(duration))) }
        return lines
    }

    private static func section(_ name: String, _ lines: [(String, String)]) -> [String] {
        ["\(name):"] + lines.map { "  \($0.0): \($0.1)" }
    }

    private static func flow(_ parameters: Parameters) -> String {
        let parts = parameters.values.sorted { $0.key < $1.key }.map { key, value in
            switch value {
            case .text, .thresholds: return "\(quoted(key)): \(quoted(value.text))"
            default: break
            }
            return "\(quoted(key)): \(value.text)"
        }
        return "{\(parts.joined(separator: ", "))}"
    }

    private static func text(_ duration: Duration) -> String { ParameterValue.text(of: duration) }

    /// As a double-quoted scalar where a plain one would mean something else; `$` is doubled, so that it stays one.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_/.".contains($0)) }
        // Words that some reader takes for no text: YAML 1.1 has more of them than 1.2.
        let isTaken = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
        let isWord = text.contains { $0.isLetter } && !isTaken
        if isPlain, isWord { return text }
        return JSONValue.string(text.replacing("$", with: "$$")).compactText
    }
}
