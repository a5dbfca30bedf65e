package import RigModel

/// What may stand behind one key of a scenario file.
package indirect enum KeyForm: Sendable, Equatable {
    /// One value; the first type that takes its text wins.
    case value([ParameterType])
    case section(SectionShape)
    /// A short form or the long one: `cancel: 5%`, `cancel: {share: 5%, at: commit}`.
    case valueOrSection([ParameterType], SectionShape)
    /// A number, 0 or more, without a unit.
    case number
    /// A command: program and arguments.
    case words
    /// What the catalogue fills: operation kinds and weights.
    case mix
    /// What the catalogue fills: a list of faults.
    case faults
    /// What the catalogue fills: invariants by name.
    case invariants
}

/// One key of a section.
package struct SectionKey: Sendable, Equatable {
    package let name: String
    package let form: KeyForm
    /// What holds where the key is missing, as it would be written; `nil`: what the summary says.
    package let standard: ParameterValue?
    package let isRequired: Bool
    /// One line: what it means.
    package let summary: String
    /// `nil`: whatever its types take.
    package internal(set) var lowerBound: LowerBound?

    init(_ name: String, _ form: KeyForm, standard: ParameterValue? = nil, isRequired: Bool = false, _ summary: String)
    {
        self.name = name
        self.form = form
        self.standard = standard
        self.isRequired = isRequired
        self.summary = summary
    }

    init(_ parameter: Parameter) {
        self.init(
            parameter.name, .value(parameter.types), standard: parameter.defaultValue,
            isRequired: parameter.isRequired, parameter.summary)
    }
}

extension SectionKey {
    /// The section that may stand behind the key.
    package var section: SectionShape? {
        switch form {
        case .section(let shape), .valueOrSection(_, let shape): shape
        default: nil
        }
    }
}

/// One section of a scenario file: the only place that says which keys it has and what they hold. The reader takes its types
/// from here, and so do the JSON Schema and the reference.
package struct SectionShape: Sendable, Equatable {
    /// As messages call it: `pool.reconnect-backoff`.
    package let name: String
    package let summary: String
    package let keys: [SectionKey]

    init(_ name: String, _ summary: String, _ keys: [SectionKey]) {
        self.name = name
        self.summary = summary
        self.keys = keys
    }

    /// A fault, an invariant or a group: its parameters.
    init(_ shape: Shape) { self.init(shape.name, shape.summary, shape.parameters.map { SectionKey($0) }) }

    package subscript(_ name: String) -> SectionKey? { keys.first { $0.name == name } }

    /// The section behind a key.
    ///
    /// - Precondition: there is one.
    func section(_ name: String) -> SectionShape {
        guard let shape = self[name]?.section else { preconditionFailure("\(self.name) has no section \(name)") }
        return shape
    }

    /// The types of the value behind a key.
    ///
    /// - Precondition: there is one.
    func types(_ name: String) -> [ParameterType] {
        switch self[name]?.form {
        case .value(let types), .valueOrSection(let types, _): return types
        default: preconditionFailure("\(self.name) has no value \(name)")
        }
    }
}

/// Short forms for the tables of keys.
extension SectionKey {
    static func duration(_ name: String, _ standard: Duration, _ summary: String) -> Self {
        Self(name, .value([.duration]), standard: .duration(standard), summary)
    }
    static func duration(_ name: String, required: Bool = false, _ summary: String) -> Self {
        Self(name, .value([.duration]), isRequired: required, summary)
    }

    static func count(_ name: String, _ standard: Int, _ summary: String) -> Self {
        Self(name, .value([.count]), standard: .count(standard), summary)
    }
    static func count(_ name: String, required: Bool = false, _ summary: String) -> Self {
        Self(name, .value([.count]), isRequired: required, summary)
    }

    static func share(_ name: String, _ standard: Double, _ summary: String) -> Self {
        Self(name, .value([.share]), standard: .share(standard), summary)
    }
    static func share(_ name: String, required: Bool = false, _ summary: String) -> Self {
        Self(name, .value([.share]), isRequired: required, summary)
    }

    static func flag(_ name: String, _ standard: Bool, _ summary: String) -> Self {
        Self(name, .value([.flag]), standard: .flag(standard), summary)
    }

    static func text(_ name: String, required: Bool = false, _ summary: String) -> Self {
        Self(name, .value([.text]), isRequired: required, summary)
    }

    /// One of the words of a type.
    static func choice<Choice>(_ name: String, _ standard: Choice, _ summary: String) -> Self
    where Choice: RawRepresentable<String> & CaseIterable {
        Self(
            name, .value([.choice(Choice.allCases.map(\.rawValue))]), standard: .choice(standard.rawValue), summary)
    }
    static func choice<Choice>(_ name: String, of: Choice.Type, _ summary: String) -> Self
    where Choice: RawRepresentable<String> & CaseIterable {
        Self(name, .value([.choice(Choice.allCases.map(\.rawValue))]), summary)
    }

    static func section(_ name: String, required: Bool = false, _ shape: SectionShape) -> Self {
        Self(name, .section(shape), isRequired: required, shape.summary)
    }
}
