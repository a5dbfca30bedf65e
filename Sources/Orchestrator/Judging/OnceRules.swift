import RigModel

/// What the rig tells once in a history, and its phases, which come in order (docs/history.md). Pure; constant memory.
///
/// What a foreign pool tells of itself is its own affair: of the pool's events only those of our own are looked at.
struct OnceRules {
    private static let facts: Set = ["run", "outcome", "accounts", "final-balances"]

    private var seen: Set<String> = []
    private var phase: RunPhase?
    private var nextPart: Int64 = 0
    private var parts: Int64?

    /// - Parameter isOwnPool: the history is one of our own pool.
    mutating func problem(with event: Event, isOwnPool: Bool) -> String? {
        switch event.process {
        case .worker: nil
        case .nemesis: phaseProblem(event)
        case .probe: event.function == "final-appends" ? partProblem(event) : again(probeName(event), "probe")
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
        defer { phase = next }
        guard let phase, let place = RunPhase.allCases.firstIndex(of: next),
            let before = RunPhase.allCases.firstIndex(of: phase), place <= before
        else { return nil }
        return "phase \(name) begins after phase \(phase.rawValue)"
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
