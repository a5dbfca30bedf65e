import RigModel
import ScenarioFile
import Workloads

/// Which of the behaviours that a scenario asks for were seen in the history: a run in which no client was ever cancelled says
/// nothing of cancels. A fold.
struct BehaviourRecord: Sendable {
    /// A behaviour that should have come so often and was never seen does not come: by chance alone once in 10²¹ runs.
    private static let enough = 50.0

    /// Operations that ended well, and those of them in a transaction.
    private var operations = 0
    private var transactions = 0
    private var seen: Set<String> = []

    mutating func observe(_ event: Event) {
        if event.process == .probe {
            if event.function == "lone-use" { seen.insert("quiet") }
            return
        }
        guard case .worker = event.process, let completion = event.completion else { return }
        if case .object(let notes)? = completion.notes {
            for note in notes { see(note) }
        }
        guard event.kind == .ok, event.function != "probe", !OperationCatalogue.steady.contains(event.function) else {
            return
        }
        operations += 1
        if OperationCatalogue.inTransaction.contains(event.function) { transactions += 1 }
    }

    private mutating func see(_ note: JSONValue.Member) {
        switch note.key {
        case "cancel", "query-cancel": seen.insert("cancel")
        case "throw", "nested": seen.insert(note.key)
        case "held_ns": seen.insert("hold")
        case "abandon": seen.insert("abandon-\(note.value.stringValue ?? "")")
        case "residue": for item in note.value.arrayValue ?? [] { seen.insert("residue: \(item.stringValue ?? "")") }
        default: break
        }
    }

    /// What was asked for, should have come many times, and never came; a sentence each.
    func missing(_ workload: Scenario.Workload, _ phases: Scenario.Phases) -> [String] {
        let behaviour = workload.behaviour
        let moment = behaviour.cancel?.at
        let cancels = moment == .begin || moment == .commit ? transactions : operations
        let shares: [(name: String, expected: Double)] =
            [
                ("cancel", (behaviour.cancel?.share ?? 0) * Double(cancels)),
                ("throw", behaviour.throwShare * Double(operations)),
                ("abandon-transaction", behaviour.abandonTransaction * Double(operations)),
                ("abandon-result", behaviour.abandonResult * Double(operations)),
                ("hold", (behaviour.hold?.share ?? 0) * Double(operations)),
                ("nested", behaviour.nested * Double(operations)),
            ] + behaviour.residue.map { ("residue: \($0.kind.rawValue)", $0.share * Double(operations)) }
        var missing = shares.filter { $0.expected >= Self.enough && !seen.contains($0.name) }.map { name, expected in
            "the behaviour \(name) was asked for, and never seen; about \(Int(expected)) were expected"
        }
        let length = phases.warmUp + phases.steady + phases.faults + phases.settle
        if let quiet = behaviour.quiet, quiet.every + quiet.duration < length, !seen.contains("quiet") {
            missing.append("nobody used the pool alone after a quiet time, although there was one")
        }
        return missing
    }
}
