import RigModel

/// The JSON Schema of one value of a scenario file: what ``UnitReader`` takes, as an editor sees it after its YAML reader has
/// told numbers, booleans and texts apart. Every value may also hold a variable: `${VAR}`.
enum ScalarSchema {
    /// A value of any of the types, above the bound. Of a text only zero is told from the others.
    static func any(_ types: [ParameterType], from bound: LowerBound? = nil) -> [JSONValue] {
        var texts: [String] = []
        var alternatives: [JSONValue] = []
        for type in types {
            switch type {
            case .duration: texts.append(quantity(UnitReader.secondsPerUnit.map(\.unit)))
            case .rate: texts.append(quantity(UnitReader.secondsPerRateUnit.map(\.unit)))
            case .dataRate: texts.append(quantity(UnitReader.bytesPerUnit.map(\.unit)))
            case .count:
                alternatives.append(["type": "integer", "minimum": JSONValue(bound?.least ?? 0), "maximum": .int(.max)])
                // As many digits as the largest has.
                texts.append("[0_]*(?:[0-9]_*){1,19}")
            case .share:
                alternatives.append(["type": "number", least(bound): 0, "maximum": 1])
                texts += [percentage, number]
            case .flag:
                alternatives.append(["type": "boolean"])
                alternatives.append(["enum": .array(UnitReader.flags.map { .string($0.word) })])
            case .choice(let words): alternatives.append(["enum": .array(words.map(JSONValue.string))])
            case .text: return [["type": ["string", "number", "boolean"]]]
            }
        }
        if bound != nil { texts = texts.map { notZero + $0 } }
        alternatives.append(["type": "string", "pattern": .string(pattern(texts))])
        return alternatives
    }

    /// A number without a unit, 0 or more.
    static func plainNumber(from bound: LowerBound? = nil) -> [JSONValue] {
        let text = (bound == nil ? "" : notZero) + number
        return [["type": "number", least(bound): 0], ["type": "string", "pattern": .string(pattern([text]))]]
    }

    private static func least(_ bound: LowerBound?) -> String { bound == nil ? "minimum" : "exclusiveMinimum" }

    /// Before a number: some digit of it is another one.
    private static let notZero = #"(?=[0_.]*[1-9])"#

    /// Anything may come out of one. A dollar that is doubled stays one, and none of these values has any.
    static let variable = #"\$\{"#

    /// A whole text that is one of these, or that has a variable in it.
    static func pattern(_ texts: [String]) -> String {
        texts.isEmpty ? variable : "^(?:\(texts.joined(separator: "|")))$|\(variable)"
    }

    /// A number that is not negative, as ``UnitReader`` takes it.
    static let number = #"_*(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\._*[0-9][0-9_]*)"#
    static let percentage = #"(?=[_.]*[0-9])[0_]*(?:100(?:\.[0_]*)?|[0-9]?_*[0-9]?_*(?:\.[0-9_]*)?) *%"#

    /// A number with one of the units.
    static func quantity(_ units: [String]) -> String { "\(number) *(?:\(units.joined(separator: "|")))" }
}
