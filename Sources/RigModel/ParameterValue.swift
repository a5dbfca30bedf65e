/// A typed value of a scenario file, after its unit was read.
public enum ParameterValue: Sendable, Equatable {
    /// Nanoseconds.
    case duration(Duration)
    /// A whole number, 0 or more.
    case count(Int)
    /// A share in `0...1`, written `90%` or `0.9`.
    case share(Double)
    /// Operations a second, written `500/s` (also `/min`).
    case rate(perSecond: Double)
    /// Bytes a second, written `100KB/s` or `1MB/s` (1000-based, or `KiB/s`, `MiB/s`).
    case dataRate(bytesPerSecond: Double)
    case flag(Bool)
    /// One of the choices of the parameter.
    case choice(String)
    case text(String)
    /// Bounds on one measure; only for a shape that takes thresholds.
    case thresholds([Threshold])

    public var durationValue: Duration? { if case .duration(let value) = self { value } else { nil } }
    public var countValue: Int? { if case .count(let value) = self { value } else { nil } }
    public var shareValue: Double? { if case .share(let value) = self { value } else { nil } }
    public var rateValue: Double? { if case .rate(let value) = self { value } else { nil } }
    public var dataRateValue: Double? { if case .dataRate(let value) = self { value } else { nil } }
    public var flagValue: Bool? { if case .flag(let value) = self { value } else { nil } }
    public var choiceValue: String? { if case .choice(let value) = self { value } else { nil } }
    public var textValue: String? { if case .text(let value) = self { value } else { nil } }
    public var thresholdsValue: [Threshold]? { if case .thresholds(let value) = self { value } else { nil } }
}

/// What a parameter may hold. Several types may be allowed: a kill takes `all`, a count, or a share.
public enum ParameterType: Sendable, Equatable {
    case duration
    case count
    case share
    case rate
    case dataRate
    case flag
    case choice([String])
    case text
}

/// One parameter of a fault, an invariant or a workload.
public struct Parameter: Sendable, Equatable {
    public var name: String
    /// The first one that accepts the text wins.
    public var types: [ParameterType]
    /// `nil`: may be left out, and then means what `summary` says.
    public var defaultValue: ParameterValue?
    public var isRequired: Bool
    public var summary: String

    public init(
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
public struct Shape: Sendable, Equatable {
    /// As written in the file: `kill-connections`.
    public var name: String
    /// One line for `chaosrig list`.
    public var summary: String
    public var parameters: [Parameter]
    /// For faults: lasts until it is healed (then `for:` is allowed), or over at once.
    public var isLasting: Bool
    /// For invariants: every key that is no parameter is a measure, and its value the bounds on it; see ``Threshold``. Such an
    /// invariant says nothing by itself, so it is not among those that a scenario without a list gets.
    public var takesThresholds: Bool

    public init(
        name: String, summary: String, parameters: [Parameter] = [], isLasting: Bool = false,
        takesThresholds: Bool = false
    ) {
        self.takesThresholds = takesThresholds
        self.name = name
        self.summary = summary
        self.parameters = parameters
        self.isLasting = isLasting
    }
}

/// Parameters by name, defaults filled in. Getters trap on a wrong type: the scenario was validated before.
public struct Parameters: Sendable, Equatable {
    public var values: [String: ParameterValue]

    public init(_ values: [String: ParameterValue] = [:]) { self.values = values }

    public subscript(name: String) -> ParameterValue? { values[name] }

    public func duration(_ name: String) -> Duration? { values[name].map { required($0.durationValue, name, $0) } }
    public func count(_ name: String) -> Int? { values[name].map { required($0.countValue, name, $0) } }
    public func share(_ name: String) -> Double? { values[name].map { required($0.shareValue, name, $0) } }
    public func dataRate(_ name: String) -> Double? { values[name].map { required($0.dataRateValue, name, $0) } }
    public func text(_ name: String) -> String? { values[name].map { required($0.textValue, name, $0) } }
    public func choice(_ name: String) -> String? { values[name].map { required($0.choiceValue, name, $0) } }
    public func flag(_ name: String) -> Bool? { values[name].map { required($0.flagValue, name, $0) } }

    private func required<T>(_ converted: T?, _ name: String, _ value: ParameterValue) -> T {
        guard let converted else { preconditionFailure("parameter \(name) has the unexpected value \(value)") }
        return converted
    }
}
