import RigModel

/// Reads `faults:`, a list in which each item is one fault kind, or a group of them, and its schedule.
struct FaultSection {
    private static let groupKinds = ["random", "sequence"]
    private static let scheduleKeys = Set(
        [SectionShape.fault, .sequence, .randomMember].flatMap { $0.keys.map(\.name) })

    let catalogue: ScenarioCatalogue
    /// `nil` where it could not be read.
    let target: Scenario.Target?
    let log: ProblemLog

    private var names: [String] { catalogue.faults.map(\.name) }

    func read(_ node: YAMLNode?, _ phases: Scenario.Phases) -> [Scenario.FaultEntry] {
        guard let node, !node.isNull else { return [] }
        guard case .sequence(let items) = node.content else {
            log.add(node.position, "faults: a list was expected (- kill-connections: {}), not \(node.kindInWords)")
            return []
        }
        if !items.isEmpty, phases.faults == .zero {
            log.add(node.position, "there are faults, but phases.faults is 0s: they could never be injected")
        }
        let problemsBefore = log.problems.count
        var entries: [(entry: Scenario.FaultEntry, position: SourcePosition)] = []
        for (index, item) in items.enumerated() { entries += read(item, phases, group: index) }
        if log.problems.count == problemsBefore {
            for (index, message) in catalogue.checkFaults(entries.map(\.entry), phases) {
                log.add(entries[index].position, message)
            }
        }
        return entries.map(\.entry)
    }

    /// - Parameter group: the number of the group, should the item be one.
    private func read(
        _ item: YAMLNode, _ phases: Scenario.Phases, group: Int
    ) -> [(entry: Scenario.FaultEntry, position: SourcePosition)] {
        guard let section = mapping(item, .fault) else { return [] }
        if let kind = Self.groupKinds.first(where: { section.keys.contains($0) }) {
            return readGroup(kind, item, phases, number: group)
        }
        guard let (shape, parameters) = fault(section, item) else { return [] }
        let schedule = ScheduleReader(section: section, phases: phases, log: log).read(shape)
        section.finish(also: names + Self.groupKinds)
        return [(Scenario.FaultEntry(kind: shape.name, parameters: parameters, schedule: schedule), item.position)]
    }

    private func mapping(_ item: YAMLNode, _ shape: SectionShape) -> SectionReader? {
        guard case .mapping = item.content else {
            log.add(item.position, "a fault is a mapping (kill-connections: {}, at: 1s), not \(item.kindInWords)")
            return nil
        }
        return SectionReader(item, shape, log)
    }

    /// The kind that the item names, and its parameters.
    private func fault(_ section: SectionReader, _ item: YAMLNode) -> (Shape, Parameters)? {
        let kinds = section.keys.filter { names.contains($0) }
        guard let kind = kinds.first, let shape = catalogue.faults.first(where: { $0.name == kind }) else {
            let unknown = section.keys.filter { !Self.scheduleKeys.contains($0) }
            guard let word = unknown.first else {
                log.add(item.position, "this fault names no kind; known: \(names.joined(separator: ", "))")
                return nil
            }
            let near = NearestName.of(word, in: names + Self.groupKinds)
            let hint = near.map { "did you mean \"\($0)\"?" } ?? "known: \(names.joined(separator: ", "))"
            log.add(section.keyPosition(word), "unknown fault \"\(word)\"; \(hint)")
            return nil
        }
        if kinds.count > 1 {
            log.add(section.keyPosition(kinds[1]), "one fault per item; \"\(kinds[1])\" begins a second one")
        }
        let node = section.node(kind)
        let position = section.keyPosition(kind)
        let problemsBefore = log.problems.count
        let parameters = ParameterReader(log: log).read(shape, node, at: position)
        guard log.problems.count == problemsBefore else { return (shape, parameters) }
        for (parameter, message) in catalogue.checkParameters(kind, parameters, target) {
            let place = parameter.flatMap { self.position(of: $0, in: node) }
            log.add(place ?? position, (parameter.map { "\($0): " } ?? "\(kind): ") + message)
        }
        return (shape, parameters)
    }

    /// Where the value of a parameter stands.
    private func position(of parameter: String, in node: YAMLNode?) -> SourcePosition? {
        guard case .mapping(let entries)? = node?.content else { return nil }
        return entries.first { $0.key == parameter }?.value.position
    }

    /// `random: […]` or `sequence: […]`, with the schedule that all in it share.
    private func readGroup(
        _ kind: String, _ item: YAMLNode, _ phases: Scenario.Phases, number: Int
    ) -> [(entry: Scenario.FaultEntry, position: SourcePosition)] {
        let isRandom = kind == "random"
        let section = SectionReader(item, isRandom ? .randomGroup : .sequence, log)
        guard let list = section.node(kind), case .sequence(let items) = list.content, !items.isEmpty else {
            log.add(section.keyPosition(kind), "\(kind): a list of faults was expected (- kill-connections: {})")
            return []
        }
        let schedule = ScheduleReader(section: section, phases: phases, log: log).readShared()
        var gap = Duration.zero
        if !isRandom { section.duration("gap", into: &gap) }
        section.finish(also: Self.groupKinds)
        var entries: [(entry: Scenario.FaultEntry, position: SourcePosition)] = []
        for item in items {
            guard let member = mapping(item, isRandom ? .randomMember : .sequenceMember),
                let (shape, parameters) = fault(member, item)
            else { continue }
            var own = schedule
            own.duration = ScheduleReader(section: member, phases: phases, log: log).duration(shape)
            if shape.isLasting, !member.keys.contains("for") {
                log.add(member.keyPosition(shape.name), "\(shape.name): in a \(kind) it needs for:, so that it ends")
            }
            var group = FaultGroup.sequence(number: number, gap: gap)
            if isRandom { group = .random(number: number, weight: weight(member)) }
            member.finish(also: names)
            entries.append(
                (
                    Scenario.FaultEntry(kind: shape.name, parameters: parameters, schedule: own, group: group),
                    item.position
                ))
        }
        return entries
    }

    private func weight(_ member: SectionReader) -> Double {
        guard let node = member.node("weight") else { return 1 }
        guard case .scalar(let text, _) = node.content, let weight = UnitReader.number(text), weight > 0 else {
            log.add(node.position, "weight: a number above 0 was expected")
            return 1
        }
        return weight
    }
}
