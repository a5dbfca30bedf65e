import RigModel

/// What the rig tells once in a history, and its phases, which come in order (docs/history.md). Pure; constant memory.
///
/// What a foreign pool tells of itself is its own affair: of the pool's events only those of our own are looked at.
struct OnceRules {
    private static let facts: Set = ["run", "accounts", "final-balances"]

    private var seen: Set<String> = []
    private var phase: RunPhase?
    /// A phase before `drain` never began.
    private var isCutShort = false
    private var nextPart: Int64 = 0
    private var parts: Int64?

    /// - Parameter isOwnPool: the history is one of our own pool.
    mutating func problem(with event: Event, isOwnPool: Bool) -> String? {
        switch event.process {
        case .worker: nil
        case .nemesis: phaseProblem(event)
        case .probe where event.function == "final-appends": partProblem(event)
        case .probe where event.function == "outcome": again("outcome", "probe") ?? outcomeProblem(event)
        case .probe: again(probeName(event), "probe")
        case .pool: isOwnPool ? again(poolName(event), "pool") : nil
        }
    }

    private mutating func again(_ name: String?, _ process: String) -> String? {
        guard let name, !seen.insert("\(process)/\(name)").inserted else { return nil }
        return "`\(name)` is there a second time"
    }

    private func probeName(_ event: Event) -> String? {
        if event.function == "books" { return named(event, "at") }
        return Self.facts.contains(event.function) ? event.function : nil
    }

    private func poolName(_ event: Event) -> String? {
        switch event.function {
        case "configured", "kept", "reopened": event.function
        case "closed": named(event, "pool")
        case "metrics": named(event, "at")
        default: nil
        }
    }

    /// Once for each value of a member.
    private func named(_ event: Event, _ member: String) -> String {
        event.function + (event.value[member].map { " \(member) \($0.compactText)" } ?? "")
    }

    private mutating func phaseProblem(_ event: Event) -> String? {
        guard case .phase(let name)? = NemesisFact(event), let next = RunPhase(rawValue: name) else { return nil }
        let all = RunPhase.allCases
        let expected = phase.map { all.index(after: all.firstIndex(of: $0) ?? 0) } ?? 0
        let place = all.firstIndex(of: next) ?? 0
        // An interrupt ends the load at any time.
        guard place == expected || next == .drain && place > expected else {
            return "phase \(name) begins after \(phase.map { "phase \($0.rawValue)" } ?? "no other")"
        }
        if place > expected { isCutShort = true }
        phase = next
        return nil
    }

    private func outcomeProblem(_ event: Event) -> String? {
        guard isCutShort, event.value["signal"]?.intValue == nil else { return nil }
        return "the run was not interrupted, but not all of its phases are there"
    }

    private mutating func partProblem(_ event: Event) -> String? {
        let part = event.value["part"]?.intValue
        let count = event.value["parts"]?.intValue
        defer { (nextPart, parts) = (nextPart + 1, parts ?? count) }
        if part == nextPart, count == parts ?? count, let count, nextPart < count { return nil }
        let words = { (value: Int64?) in value.map(String.init) ?? "nothing" }
        return "`final-appends` says part \(words(part)) of \(words(count)), and part \(nextPart)"
            + (parts.map { " of \($0)" } ?? "") + " was expected"
    }
}
