import RigModel

/// Where the workload runs, as far as that decides what it can do.
struct WorkloadSite {
    /// The database is a file in the pool's process.
    var isEmbedded: Bool
    /// The pool is in a process of its own.
    var isChild: Bool
}

/// Reads `workload.behaviour`: what clients do beside their operations.
struct BehaviourSection {
    let log: ProblemLog

    func read(_ node: YAMLNode?, _ site: WorkloadSite) -> ClientBehaviour {
        var behaviour = ClientBehaviour()
        let section = SectionReader(node, .behaviour, log)
        if section.node("cancel") != nil { behaviour.cancel = cancel(section, site) }
        for (key, share) in [
            ("throw", \ClientBehaviour.throwShare), ("abandon-transaction", \.abandonTransaction),
            ("abandon-result", \.abandonResult), ("nested", \.nested),
        ] {
            if section.keys.contains(key) { behaviour[keyPath: share] = self.share(key, section) ?? 0 }
        }
        if let hold = section.section("hold") { behaviour.hold = self.hold(hold) }
        if let residue = section.section("residue") { behaviour.residue = self.residue(residue) }
        if let burst = section.section("burst") {
            let factor = burst.value("factor")?.countValue
            behaviour.burstFactor = factor ?? 0
            if burst.isReadable, !burst.keys.contains("factor") {
                log.add(burst.position("factor"), "burst: factor: so many times the load, at least 2, was expected")
            }
            behaviour.burst = window(burst)
        }
        if let quiet = section.section("quiet") { behaviour.quiet = window(quiet) }
        if let probe = section.section("probe") {
            if let every = duration("every", probe), let limit = duration("limit", probe) {
                behaviour.probe = ClientBehaviour.Probe(every: every, limit: limit)
            }
            probe.finish()
        }
        if let reopen = section.section("reopen") { behaviour.reopen = self.reopen(reopen) }
        section.finish()
        check(section, site)
        return behaviour
    }

    /// What the target, or the pool's process, cannot do.
    private func check(_ section: SectionReader, _ site: WorkloadSite) {
        let needServer = ["abandon-result", "residue"]
        let needOwnProcess = ["throw", "abandon-result", "nested", "reopen"]
        for key in section.keys {
            if site.isEmbedded, needServer.contains(key) {
                log.add(section.keyPosition(key), "workload.behaviour: \(key) needs a PostgreSQL target")
            }
            if site.isChild, needOwnProcess.contains(key) {
                log.add(
                    section.keyPosition(key),
                    "workload.behaviour: \(key) needs the pool in the rig's own process (pool.process: rig)")
            }
        }
    }

    /// `5%`, or `{share: 5%, at: commit}`.
    private func cancel(_ behaviour: SectionReader, _ site: WorkloadSite) -> ClientBehaviour.Cancel? {
        guard case .mapping? = behaviour.node("cancel")?.content, let section = behaviour.section("cancel") else {
            return share("cancel", behaviour).map { ClientBehaviour.Cancel(share: $0) }
        }
        defer { section.finish() }
        let word = section.value("at")?.choiceValue
        if word != nil, site.isChild {
            log.add(
                section.position("at"),
                "cancel: at: a pool in another process does not tell its moments; leave at: out")
        }
        guard let share = share(section) else { return nil }
        return ClientBehaviour.Cancel(share: share, at: word.flatMap(CancelMoment.init))
    }

    private func hold(_ section: SectionReader) -> ClientBehaviour.Hold? {
        defer { section.finish() }
        guard let share = share(section), let duration = duration("for", section)
        else { return nil }
        return ClientBehaviour.Hold(share: share, duration: duration)
    }

    private func residue(_ section: SectionReader) -> [ClientBehaviour.ResidueShare] {
        defer { section.finish() }
        if section.keys.isEmpty, section.isReadable {
            log.add(
                section.position,
                "residue: name what is left behind: \(Residue.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        return Residue.allCases.compactMap { kind in
            guard section.keys.contains(kind.rawValue) else { return nil }
            return share(kind.rawValue, section).map { ClientBehaviour.ResidueShare(kind, $0) }
        }
    }

    private func reopen(_ section: SectionReader) -> ClientBehaviour.Reopen? {
        defer { section.finish() }
        guard let at = duration("at", section) else { return nil }
        var inFlight = 1
        section.count("in-flight", into: &inFlight)
        return ClientBehaviour.Reopen(at: at, inFlight: inFlight)
    }

    /// `every` and `for`; the time must end before it comes again.
    private func window(_ section: SectionReader) -> ClientBehaviour.Window? {
        defer { section.finish() }
        guard let every = duration("every", section), let duration = duration("for", section) else { return nil }
        for (key, value) in [("every", every), ("for", duration)] where value < Self.shortest {
            log.add(
                section.position(key),
                "\(section.name): \(key): at least \(ParameterValue.text(of: Self.shortest)) was expected: clients look no "
                    + "oftener whether they may work")
        }
        if duration >= every {
            log.add(
                section.position("for"), "\(section.name): for: less than every: (\(ParameterValue.text(of: every)))")
        }
        return ClientBehaviour.Window(every: every, duration: duration)
    }

    /// What clients notice of a time that comes again.
    private static let shortest = Duration.milliseconds(10)

    private func share(_ section: SectionReader) -> Double? {
        missing("share", section)
        return share("share", section)
    }

    private func share(_ key: String, _ section: SectionReader) -> Double? {
        section.value(key)?.shareValue
    }

    private func duration(_ key: String, _ section: SectionReader) -> Duration? {
        missing(key, section)
        return section.value(key)?.durationValue
    }

    private func missing(_ key: String, _ section: SectionReader) {
        guard section.isReadable, !section.keys.contains(key) else { return }
        log.add(section.position, "\(section.name): \(key) is missing")
    }
}
