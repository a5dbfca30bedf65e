/// What an event of the nemesis says; the vocabulary of docs/history.md as a type.
public enum NemesisFact: Sendable, Equatable {
    /// A phase of the run begins.
    case phase(String)
    case inject(fault: Int, kind: String, detail: String)
    /// The proof, or why there is none. Exactly one per injection.
    case landed(fault: Int, kind: String, landed: Bool, evidence: JSONValue)
    /// `forced`: the run ended before the fault's own time.
    case heal(fault: Int, kind: String, ok: Bool, forced: Bool, facts: JSONValue)

    /// `nil` for events of others, and for those that say nothing known.
    public init?(_ event: Event) {
        guard event.process == .nemesis, let word = event.value["phase"]?.stringValue else { return nil }
        if event.function == "phase" {
            guard word == "begin", let name = event.value["name"]?.stringValue else { return nil }
            self = .phase(name)
            return
        }
        guard let number = event.value["fault"]?.intValue else { return nil }
        let fault = Int(number)
        let kind = event.function
        switch word {
        case "inject": self = .inject(fault: fault, kind: kind, detail: event.value["detail"]?.stringValue ?? "")
        case "landed":
            self = .landed(
                fault: fault, kind: kind, landed: event.value["landed"]?.boolValue ?? false,
                evidence: event.value["evidence"] ?? .null)
        case "heal":
            self = .heal(
                fault: fault, kind: kind, ok: event.value["ok"]?.boolValue ?? false,
                forced: event.value["forced"]?.boolValue ?? false, facts: event.value["facts"] ?? .null)
        default: return nil
        }
    }

    /// `f` of the event that says this.
    public var function: String {
        switch self {
        case .phase: "phase"
        case .inject(_, let kind, _), .landed(_, let kind, _, _), .heal(_, let kind, _, _, _): kind
        }
    }

    /// `value` of the event that says this.
    public var value: JSONValue {
        switch self {
        case .phase(let name): ["phase": "begin", "name": .string(name)]
        case .inject(let fault, _, let detail):
            ["phase": "inject", "fault": JSONValue(fault), "detail": .string(detail)]
        case .landed(let fault, _, let landed, let evidence):
            ["phase": "landed", "fault": JSONValue(fault), "landed": .bool(landed), "evidence": evidence]
        case .heal(let fault, _, let ok, let forced, let facts):
            ["phase": "heal", "fault": JSONValue(fault), "ok": .bool(ok), "forced": .bool(forced), "facts": facts]
        }
    }
}
