import RigModel

/// What a scenario asks for and can never happen in it: the run would be green for what it never tried.
struct NeverRules {
    let root: YAMLNode
    let catalogue: ScenarioCatalogue
    let log: ProblemLog

    func check(_ workload: Scenario.Workload, _ phases: Scenario.Phases) {
        let length = phases.warmUp + phases.steady + phases.faults + phases.settle
        checkTimes(workload.behaviour, length)
        if let hold = workload.behaviour.hold, hold.duration >= length, length > .zero {
            complain(
                ["hold", "for"],
                "hold: for: less than the phases take in all (\(ParameterValue.text(of: length))) was expected: whoever holds would "
                    + "hold to the end, and soon all connections would be held")
        }
        checkKinds(workload)
        let behaviour = workload.behaviour
        // In the closed model a burst has more clients; in the open one they have more to do.
        let (most, isTooMany) = workload.clients.multipliedReportingOverflow(
            by: workload.rate == nil ? max(1, behaviour.burstFactor) : 1)
        if let reopen = behaviour.reopen, reopen.inFlight > most, workload.clients > 0, !isTooMany {
            complain(
                ["reopen", "in-flight"],
                "reopen: in-flight: \(reopen.inFlight) operations are never under way at the same time: there are \(most) clients"
            )
        }
        if let probe = behaviour.probe, probe.limit > probe.every {
            complain(
                ["probe", "limit"],
                "probe: limit: at most every: (\(ParameterValue.text(of: probe.every))) was expected: one probe runs at a time"
            )
        }
    }

    /// What comes for the first time after so long must come while the workload runs.
    private func checkTimes(_ behaviour: ClientBehaviour, _ length: Duration) {
        let times: [(path: [String], first: Duration?)] = [
            (["quiet", "every"], behaviour.quiet?.every), (["burst", "every"], behaviour.burst?.every),
            (["probe", "every"], behaviour.probe?.every), (["reopen", "at"], behaviour.reopen?.at),
        ]
        for case (let path, let first?) in times where first >= length && length > .zero {
            complain(
                path,
                "\(path.joined(separator: ": ")): less than the phases take in all (\(ParameterValue.text(of: length))) was "
                    + "expected: it would never come")
        }
    }

    /// What only some operations can bear must find one of them.
    private func checkKinds(_ workload: Scenario.Workload) {
        let kinds = workload.mix.filter { $0.weight > 0 }.map(\.kind)
        let behaviour = workload.behaviour
        if let at = behaviour.cancel?.at, at == .begin || at == .commit,
            catalogue.transactionWorkloads.isDisjoint(with: kinds)
        {
            complain(
                ["cancel", "at"],
                "cancel: at: \(at.rawValue): no operation of workload.mix works in a transaction; add one of "
                    + catalogue.transactionWorkloads.sorted().joined(separator: ", "))
        }
        let ends = [
            ("throw", behaviour.throwShare), ("abandon-transaction", behaviour.abandonTransaction),
            ("abandon-result", behaviour.abandonResult),
        ]
        guard !kinds.isEmpty, catalogue.steadyWorkloads.isSuperset(of: kinds) else { return }
        for (key, share) in ends where share > 0 {
            complain(
                [key], "\(key): clients that \(kinds.joined(separator: " or ")) never do that; add another operation")
        }
    }

    /// - Parameter path: below `workload.behaviour`.
    private func complain(_ path: [String], _ message: String) {
        log.add(root.position(of: ["workload", "behaviour"] + path), "workload.behaviour.\(message)")
    }
}

extension YAMLNode {
    /// Where this key of a key stands; what of the path is not there is left out.
    func keyPosition(of path: [String]) -> SourcePosition {
        guard let key = path.first, case .mapping(let entries) = content,
            let entry = entries.first(where: { $0.key == key })
        else { return position }
        return path.count == 1 ? entry.keyPosition : entry.value.keyPosition(of: Array(path.dropFirst()))
    }

    /// Where the value of this key of a key stands; what of the path is not there is left out.
    func position(of path: [String]) -> SourcePosition {
        guard let key = path.first, case .mapping(let entries) = content,
            let entry = entries.first(where: { $0.key == key })
        else { return position }
        return entry.value.position(of: Array(path.dropFirst()))
    }
}
