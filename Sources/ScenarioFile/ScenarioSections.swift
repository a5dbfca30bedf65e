import RigModel

/// Reads the sections of a scenario from the tree. Problems go to the log; what is wrong keeps its default, so that the
/// rest can still be checked.
struct ScenarioSections {
    let catalogue: ScenarioCatalogue
    let log: ProblemLog

    func scenario(_ root: YAMLNode, defaultName: String, summary: String) -> Scenario? {
        if root.isNull {
            log.add(root.position, "the file is empty; a scenario was expected")
            return nil
        }
        guard case .mapping = root.content else {
            log.add(root.position, "a scenario is a mapping (name:, target:, …), not \(root.kindInWords)")
            return nil
        }
        let section = SectionReader(root, .scenario, log)
        let written = section.value("name")?.textValue
        let name = written ?? defaultName
        if !ScenarioName.isValid(name) {
            log.add(
                section.position("name"),
                "name: \"\(name)\"\(written == nil ? " (from the file's name; write name: …)" : "") cannot name a folder; "
                    + "ASCII letters, digits, - _ and . are allowed, at most \(ScenarioName.longest)")
        }
        let rules = ScenarioRules(log: log)
        let target = target(section.node("target"), section)
        let pool = PoolSection(log: log).read(section.node("pool"), rules)
        let site = WorkloadSite(
            isEmbedded: target == .temporarySQLite || isPath(target), isChild: pool.process == .child)
        let workload = workload(section.node("workload"), site, rules)
        let phases = phases(section.node("phases"), rules)
        rules.check(workload, phases, section)
        let faults = FaultSection(catalogue: catalogue, target: target, log: log).read(
            section.node("faults"), phases)
        NeverRules(root: root, catalogue: catalogue, log: log).check(workload, phases)
        let invariants = invariants(
            section.node("invariants"), isPresent: section.keys.contains("invariants"),
            ThresholdScope(workload, faults, phases))
        if section.node("behaviour") != nil {
            log.add(section.keyPosition("behaviour"), "behaviour belongs into workload: (workload: {behaviour: {…}})")
        }
        section.finish()
        if pool.instances > 1, workload.behaviour.reopen != nil {
            log.add(
                root.keyPosition(of: ["workload", "behaviour", "reopen"]),
                "workload.behaviour: reopen is for one pool, but pool.instances is \(pool.instances); take one of them out"
            )
        }
        guard let target else { return nil }
        return Scenario(
            name: name, summary: summary, target: target, pool: pool, workload: workload, phases: phases,
            faults: faults, invariants: invariants)
    }

    private func target(_ node: YAMLNode?, _ scenario: SectionReader) -> Scenario.Target? {
        guard let node else {
            log.add(scenario.position, "target is missing; write for example target: {postgres: managed}")
            return nil
        }
        let section = SectionReader(node, .target, log)
        defer { section.finish() }
        var options = Scenario.ManagedOptions()
        section.flag("standby", into: &options.standby)
        section.flag("tls", into: &options.tls)
        section.flag("name", into: &options.name)
        section.choice("pgbouncer", into: &options.pgBouncer)
        let named = ["postgres", "sqlite", "compose"].filter(section.keys.contains)
        if named.count > 1 {
            log.add(section.keyPosition(named[1]), "target names two databases; a run has one")
            return nil
        }
        if named != ["compose"] { refuse(["file"], section, "a compose service: compose: NAME") }
        if let postgres = section.node("postgres") {
            let target = postgresTarget(postgres, options)
            if case .postgres = target { refuse(Self.managedKeys, section, Self.ownServer) }
            return target
        }
        refuse(Self.managedKeys, section, Self.ownServer)
        if let sqlite = section.node("sqlite") {
            guard let text = SectionReader.value(of: sqlite, key: "target.sqlite", [.text], log)?.textValue else {
                return nil
            }
            return text == "temporary" ? .temporarySQLite : .sqlite(path: text)
        }
        if section.node("compose") != nil {
            let file = section.value("file")?.textValue ?? "docker-compose.yml"
            return section.value("compose")?.textValue.map { .compose(service: $0, file: file) }
        }
        if section.keys.isEmpty, section.isReadable {
            log.add(
                node.position,
                "target: postgres: managed, postgres: {url: …}, compose: NAME or sqlite: temporary was expected")
        }
        return nil
    }

    /// What only a server of the run's own has.
    private static let managedKeys = ["standby", "tls", "name", "pgbouncer"]
    private static let ownServer = "a server of the run's own: postgres: managed"

    private func refuse(_ keys: [String], _ section: SectionReader, _ need: String) {
        for key in keys where section.keys.contains(key) {
            log.add(section.keyPosition(key), "target.\(key) needs \(need)")
        }
    }

    private func postgresTarget(_ node: YAMLNode, _ options: Scenario.ManagedOptions) -> Scenario.Target? {
        if case .mapping = node.content {
            let section = SectionReader(node, .postgres, log)
            defer { section.finish() }
            guard let url = section.value("url")?.textValue else {
                if !section.keys.contains("url") { log.add(node.position, "target.postgres: url is missing") }
                return nil
            }
            guard !url.isEmpty else {
                log.add(section.position("url"), "target.postgres.url is empty")
                return nil
            }
            return .postgres(url: url)
        }
        guard case .scalar(let text, _) = node.content, text == "managed" else {
            log.add(node.position, "target.postgres: managed or {url: …} was expected, not \(node.kindInWords)")
            return nil
        }
        return .managedPostgres(options)
    }

    private func isPath(_ target: Scenario.Target?) -> Bool {
        if case .sqlite = target { return true }
        return false
    }

    private func workload(_ node: YAMLNode?, _ site: WorkloadSite, _ rules: ScenarioRules) -> Scenario.Workload {
        var workload = Scenario.Workload()
        let section = SectionReader(node, .workload, log)
        section.count("clients", into: &workload.clients)
        if let rate = section.value("rate")?.rateValue { workload.rate = rate }
        section.duration("max-lag", into: &workload.maxLag)
        section.duration("statement-time", into: &workload.statementTime)
        section.count("accounts", into: &workload.accounts)
        section.choice("isolation", into: &workload.isolation)
        section.count("distinct-statements", into: &workload.distinctStatements)
        section.flag("prepared", into: &workload.prepared)
        workload.mix = mix(section.node("mix"), section, site)
        workload.behaviour = BehaviourSection(log: log).read(section.node("behaviour"), site)
        section.finish()
        rules.check(workload, section, site)
        return workload
    }

    private func mix(_ node: YAMLNode?, _ section: SectionReader, _ site: WorkloadSite) -> [Scenario.Share] {
        let names = catalogue.workloads.map(\.name)
        let expected = "operation kinds and their weights, for example {append: 60, read: 40}"
        guard let node, !node.isNull else {
            if section.isReadable {
                log.add(node?.position ?? section.position, "workload.mix is missing: \(expected)")
            }
            return []
        }
        guard case .mapping(let entries) = node.content, !entries.isEmpty else {
            let seen = if case .mapping = node.content { "an empty mapping" } else { node.kindInWords }
            log.add(node.position, "workload.mix: \(expected), were expected, not \(seen)")
            return []
        }
        return entries.compactMap { entry in
            guard names.contains(entry.key) else {
                let near = NearestName.of(entry.key, in: names)
                let hint = near.map { "did you mean \"\($0)\"?" } ?? "known: \(names.joined(separator: ", "))"
                log.add(entry.keyPosition, "unknown operation \"\(entry.key)\" in workload.mix; \(hint)")
                return nil
            }
            guard case .scalar(let text, _) = entry.value.content, let weight = UnitReader.number(text) else {
                log.add(
                    entry.value.position,
                    "\(entry.key): a weight (a number, 0 or more) was expected, not \(entry.value.kindInWords)")
                return nil
            }
            if site.isEmbedded, catalogue.serverWorkloads.contains(entry.key) {
                log.add(entry.keyPosition, "workload.mix: \(entry.key) needs a PostgreSQL target")
            }
            return Scenario.Share(kind: entry.key, weight: weight)
        }
    }

    private func phases(_ node: YAMLNode?, _ rules: ScenarioRules) -> Scenario.Phases {
        var phases = Scenario.Phases()
        let section = SectionReader(node, .phases, log)
        section.duration("warm-up", into: &phases.warmUp)
        section.duration("steady", into: &phases.steady)
        section.duration("faults", into: &phases.faults)
        section.duration("settle", into: &phases.settle)
        section.finish()
        return phases
    }

    private func invariants(_ node: YAMLNode?, isPresent: Bool, _ scope: ThresholdScope) -> [Scenario.InvariantEntry] {
        let reader = ParameterReader(
            log: log,
            thresholds: ThresholdReader(
                operations: catalogue.workloads.map(\.name), faults: catalogue.faults.map(\.name), scope: scope))
        guard isPresent else {
            return catalogue.invariants.filter { shape in
                catalogue.defaultInvariants?.contains(shape.name) ?? !shape.takesThresholds
            }.map { Scenario.InvariantEntry(name: $0.name, parameters: reader.defaults($0)) }
        }
        let section = SectionReader(node, SectionShape("invariants", "", []), log)
        if section.keys.isEmpty, section.isReadable {
            log.add(
                node?.position ?? .wholeFile,
                "invariants is empty: a run that checks nothing proves nothing. Name some, or leave the key out for the usual ones"
            )
        }
        let entries = section.keys.compactMap { key -> Scenario.InvariantEntry? in
            guard let shape = catalogue.invariants.first(where: { $0.name == key }) else { return nil }
            return Scenario.InvariantEntry(
                name: key, parameters: reader.read(shape, section.node(key), at: section.keyPosition(key)))
        }
        section.finish(also: catalogue.invariants.map(\.name)) { key in
            // No invariant has a dot in its name, but almost every threshold has.
            key.contains(".") ? "a threshold stands one level deeper: \"thresholds: {\(key): …}\"" : nil
        }
        return entries
    }
}
