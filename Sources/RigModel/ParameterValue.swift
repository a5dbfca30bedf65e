/// A typed value of a scenario file, after its unit was read.
package enum ParameterValue: Sendable, Equatable {
    /// Nanoseconds.
    case duration(Duration)
    /// A whole number, 0 or more.
    case count(Int)
    /// A share in `0...1`, written `90%` or `0.9`.
    case share(Double)
    /// Operations a second, written `500/s` (also `/min`).
    case rate(perSecond: Double)
    case flag(Bool)
    /// One of the choices of the parameter.
    case choice(String)
    case text(String)

    package var durationValue: Duration? { if case .duration(let value) = self { value } else { nil } }
    package var countValue: Int? { if case .count(let value) = self { value } else { nil } }
    package var shareValue: Double? { if case .share(let value) = self { value } else { nil } }
    package var rateValue: Double? { if case .rate(let value) = self { value } else { nil } }
    package var flagValue: Bool? { if case .flag(let value) = self { value } else { nil } }
    package var choiceValue: String? { if case .choice(let value) = self { value } else { nil } }
    package var textValue: String? { if case .text(let value) = self { value } else { nil } }
}

/// What a parameter may hold. Several types may be allowed: a kill takes `all`, a count, or a share.
package enum ParameterType: Sendable, Equatable {
    case duration
    case count
    case share
    case rate
    case flag
    case choice([String])
    case text
}

/// One parameter of a fault, an invariant or a workload.
package struct Parameter: Sendable, Equatable {
    package var name: String
    /// The first one that accepts the text wins.
    package var types: [ParameterType]
    /// `nil`: may be left out, and then means what `summary` says.
    package var defaultValue: ParameterValue?
    package var isRequired: Bool
    package var summary: String

    package init(
        _ name: String, _ types: ParameterType..., default defaultValue: ParameterValue? = nil,
        isRequired: Bool = false, summary: String
    ) {
        self.name = name
        self.types = types
        self.defaultValue = defaultValue
        self.isRequired = isRequired
        self.summary = summary
    }
}

/// What a scenario file may say about one kind of fault, invariant or operation. Declared beside the thing itself, so
/// that adding one touches one file and one line of its catalogue.
package struct Shape: Sendable, Equatable {
    /// As written in the file: `kill-connections`.
    package var name: String
    /// One line for `chaosrig list`.
    package var summary: String
    package var parameters: [Parameter]
    /// For faults: lasts until it is healed (then `for:` is allowed), or over at once.
    package var isLasting: Bool

    package init(name: String, summary: String, parameters: [Parameter] = [], isLasting: Bool = false) {
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.isLasting = isLasting
    }
}

/// Parameters by name, defaults filled in. Getters trap on a wrong type: the scenario was validated before.
package struct Parameters: Sendable, Equatable {
    package var values: [String: ParameterValue]

    package init(_ values: [String: ParameterValue] = [:]) { self.values = values }

    package subscript(name: String) -> ParameterValue? { values[name] }

    package func duration(_ name: String) -> Duration? { values[name].map { required($0.durationValue, name, $0) } }
    package func count(_ name: String) -> Int? { values[name].map { required($0.countValue, name, $0) } }
    package func share(_ name: String) -> Double? { values[name].map { required($0.shareValue, name, $0) } }
    package func choice(_ name: String) -> String? { values[name].map { required($0.choiceValue, name, $0) } }
    package func flag(_ name: String) -> Bool? { values[name].map { required($0.flagValue, name, $0) } }

    private func required<T>(_ converted: T?, _ name: String, _ value: ParameterValue) -> T {
        guard let converted else { preconditionFailure("parameter \(name) has the unexpected value \(value)") }
        return converted
    }
}
