import RigModel

/// Reads `faults:`, a list in which each item has one fault kind and its schedule.
struct FaultSection {
    private static let scheduleKeys = ["at", "every", "jitter", "times", "for"]

    let shapes: [Shape]
    let log: ProblemLog

    func read(_ node: YAMLNode?, _ phases: Scenario.Phases) -> [Scenario.FaultEntry] {
        guard let node, !node.isNull else { return [] }
        guard case .sequence(let items) = node.content else {
            log.add(node.position, "faults: a list was expected (- kill-connections: {}), not \(node.kindInWords)")
            return []
        }
        if !items.isEmpty, phases.faults == .zero {
            log.add(node.position, "there are faults, but phases.faults is 0s: they could never be injected")
        }
        return items.compactMap { entry($0, phases) }
    }

    private func entry(_ item: YAMLNode, _ phases: Scenario.Phases) -> Scenario.FaultEntry? {
        guard case .mapping = item.content else {
            log.add(item.position, "a fault is a mapping (kill-connections: {}, at: 1s), not \(item.kindInWords)")
            return nil
        }
        let section = SectionReader(item, name: "the fault", log)
        let names = shapes.map(\.name)
        let kinds = section.keys.filter { names.contains($0) }
        guard let kind = kinds.first, let shape = shapes.first(where: { $0.name == kind }) else {
            let unknown = section.keys.filter { !Self.scheduleKeys.contains($0) }
            guard let word = unknown.first else {
                log.add(item.position, "this fault names no kind; known: \(names.joined(separator: ", "))")
                return nil
            }
            let near = NearestName.of(word, in: names)
            let hint = near.map { "did you mean \"\($0)\"?" } ?? "known: \(names.joined(separator: ", "))"
            log.add(section.keyPosition(word), "unknown fault \"\(word)\"; \(hint)")
            return nil
        }
        if kinds.count > 1 {
            log.add(section.keyPosition(kinds[1]), "one fault per item; \"\(kinds[1])\" begins a second one")
        }
        let parameters = ParameterReader(log: log).read(shape, section.node(kind), at: section.keyPosition(kind))
        let schedule = schedule(section, shape, phases)
        section.finish(also: names)
        return Scenario.FaultEntry(kind: kind, parameters: parameters, schedule: schedule)
    }

    private func schedule(_ section: SectionReader, _ shape: Shape, _ phases: Scenario.Phases) -> Scenario.Schedule {
        let every = section.value("every", .duration)?.durationValue
        let at = section.value("at", .duration)?.durationValue ?? every ?? .zero
        let jitter = section.value("jitter", .duration)?.durationValue ?? .zero
        let times = section.value("times", .count)?.countValue
        let duration = section.value("for", .duration)?.durationValue
        func complain(_ key: String, _ message: String) { log.add(section.position(key), message) }
        if phases.faults > .zero, at >= phases.faults {
            let key = section.keys.contains("at") ? "at" : "every"
            complain(
                key,
                "\(key): the first injection at \(ParameterValue.text(of: at)) is not within the faults phase "
                    + "of \(ParameterValue.text(of: phases.faults))")
        }
        if let every, every == .zero { complain("every", "every: more than 0s was expected") }
        if let every, jitter > every {
            complain("jitter", "jitter: at most the period of \(ParameterValue.text(of: every))")
        }
        if times == 0 { complain("times", "times: at least 1 was expected; leave the fault out instead") }
        if let times, times > 1, every == nil { complain("times", "times: needs every: as well") }
        if duration == .zero { complain("for", "for: more than 0s was expected") }
        if duration != nil, !shape.isLasting {
            complain("for", "for: \(shape.name) is over at once or has a duration of its own; it takes no for:")
        }
        if let duration, let every, duration > every {
            complain("for", "for: longer than every:; the fault would be injected while it still lasts")
        }
        return Scenario.Schedule(at: at, every: every, jitter: jitter, times: times, duration: duration)
    }
}

/// Reads the parameters of a fault or an invariant by its shape.
struct ParameterReader {
    let log: ProblemLog

    func read(_ shape: Shape, _ node: YAMLNode?, at position: SourcePosition) -> Parameters {
        let section = SectionReader(node, name: shape.name, log)
        var parameters = defaults(shape)
        for parameter in shape.parameters {
            guard let value = section.node(parameter.name) else {
                if parameter.isRequired {
                    log.add(position, "\(shape.name): \(parameter.name) is missing: \(parameter.summary)")
                }
                continue
            }
            parameters.values[parameter.name] =
                SectionReader.value(of: value, key: parameter.name, parameter.types, log)
                ?? parameters.values[parameter.name]
        }
        section.finish()
        return parameters
    }

    func defaults(_ shape: Shape) -> Parameters {
        var parameters = Parameters()
        for parameter in shape.parameters { parameters.values[parameter.name] = parameter.defaultValue }
        return parameters
    }
}
