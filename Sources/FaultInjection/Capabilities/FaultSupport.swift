import RigModel

/// Whether a machine can back a fault, and by what. Pure.
package enum FaultSupport: Sendable, Equatable {
    /// The best alternative that the machine has; empty: it needs nothing of it.
    case backed(by: Set<Capability>)
    /// What the best alternative lacks.
    case missing([Capability])

    /// - Parameter answers: of all capabilities that the fault names.
    package init(_ fault: any Fault, _ answers: [Capability: Availability]) {
        func lacks(_ alternative: Set<Capability>) -> [Capability] {
            Capability.allCases.filter { alternative.contains($0) && answers[$0]?.isAvailable != true }
        }
        if let works = fault.capabilities.first(where: { lacks($0).isEmpty }) {
            self = .backed(by: works)
        } else {
            self = .missing(fault.capabilities.first.map(lacks) ?? [])
        }
    }

    /// One sentence for each fault that this machine cannot back, each kind once, with what would help.
    package static func missing(_ faults: [any Fault], _ answers: [Capability: Availability]) -> [String] {
        var sentences: [String] = []
        for fault in faults {
            guard case .missing(let lacking) = FaultSupport(fault, answers) else { continue }
            for sentence in missing(type(of: fault).shape.name, of: Set(lacking), answers)
            where !sentences.contains(sentence) {
                sentences.append(sentence)
            }
        }
        return sentences
    }

    /// One sentence for each of these capabilities that the machine does not have.
    package static func missing(
        _ who: String, of wanted: Set<Capability>, _ answers: [Capability: Availability]
    ) -> [String] {
        Capability.allCases.filter { wanted.contains($0) && answers[$0]?.isAvailable != true }.map { capability in
            var sentence = "\(who) needs \(capability.rawValue)"
            if case .missing(let reason, let remedy)? = answers[capability] {
                sentence += ": \(reason)" + (remedy.isEmpty ? "" : ". To get it: \(remedy)")
            }
            return sentence
        }
    }
}
