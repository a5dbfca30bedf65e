import RigModel
import ScenarioFile

/// A part of a scenario in code: what stands behind a key of a scenario file.
///
/// ```swift
/// ["max-open": 8, "acquire-timeout": .duration(.seconds(2)), "retry": "none"]
/// ```
///
/// Text is read as in a file: `"2s"`, `"200/s"`, `"5%"`.
public struct ScenarioValue: Sendable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    public init(stringLiteral value: String) { json = .string(value) }
    public init(integerLiteral value: Int64) { json = .int(value) }
    public init(floatLiteral value: Double) { json = .double(value) }
    public init(booleanLiteral value: Bool) { json = .bool(value) }
    public init(arrayLiteral elements: ScenarioValue...) { json = .array(elements.map(\.json)) }
    public init(dictionaryLiteral elements: (String, ScenarioValue)...) {
        json = .object(elements.map { .init($0.0, $0.1.json) })
    }

    public static func text(_ value: String) -> ScenarioValue { ScenarioValue(.string(value)) }
    public static func number(_ value: Int) -> ScenarioValue { ScenarioValue(.int(Int64(value))) }
    public static func duration(_ value: Duration) -> ScenarioValue {
        ScenarioValue(.string(ParameterValue.text(of: value)))
    }
}

/// One fault of a scenario in code. `chaosrig list faults` tells the kinds and their parameters.
public struct ScenarioFault: Sendable {
    let json: JSONValue

    /// - Parameters:
    ///   - kind: for example `restart`.
    ///   - parameters: of the kind.
    ///   - at: from the beginning of the faults phase.
    ///   - every: comes again after so long.
    ///   - times: how often at the most.
    ///   - duration: how long one lasts that does not end by itself (`for:` in a file).
    public init(
        _ kind: String, _ parameters: ScenarioValue = [:], at: Duration? = nil, every: Duration? = nil,
        times: Int? = nil, duration: Duration? = nil
    ) {
        var members: [JSONValue.Member] = [.init(kind, parameters.json)]
        for (key, value) in [("at", at), ("every", every), ("for", duration)] {
            if let value { members.append(.init(key, ScenarioValue.duration(value).json)) }
        }
        if let times { members.append(.init("times", JSONValue(times))) }
        json = .object(members)
    }
}
