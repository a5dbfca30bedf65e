import RigModel

/// The JSON Schema of what ``ThresholdReader`` reads: measures and the bounds on them.
struct ThresholdSchema {
    let operations: [String]
    let faults: [String]

    /// The keys of the invariant beside its parameters: `acquire.p99: < 50ms`, or `acquire: {p99: < 50ms}`.
    var properties: [JSONValue.Member] {
        var members = Self.rates
        for call in ThresholdReader.calls + operations {
            var measures = Threshold.Measure.quantiles.map { Self.reference($0.name, "latency") }
            if call == "operation" || operations.contains(call) { measures += Self.rates }
            members += measures.map { JSONValue.Member("\(call).\($0.key)", $0.value) }
            members.append(
                .init(call, ["type": "object", "additionalProperties": false, "properties": .object(measures)]))
        }
        return members
    }

    /// What the properties refer to: a bound names every fault, so that it is long.
    var definitions: [JSONValue.Member] {
        let seconds = UnitReader.secondsPerUnit.map(\.unit)
        return [
            definition("latency", ScalarSchema.quantity(seconds), "a latency: < 50ms, < 2s in fault restart"),
            definition(
                "errors", "(?:\(ScalarSchema.percentage)|\(ScalarSchema.number))",
                "a share of the operations: < 1%, < 20% in phase faults"),
            definition(
                "throughput", ScalarSchema.quantity(UnitReader.secondsPerRateUnit.map(\.unit)),
                "operations a second that succeed: above 200/s"),
        ]
    }

    private static let rates = [reference("errors", "errors"), reference("throughput", "throughput")]

    private static func reference(_ name: String, _ bound: String) -> JSONValue.Member {
        .init(name, ["$ref": .string("#/definitions/bound-\(bound)")])
    }

    private func definition(_ name: String, _ limit: String, _ summary: String) -> JSONValue.Member {
        let bound = bound(limit)
        return .init(
            "bound-\(name)",
            [
                "description": .string(summary), "type": "string",
                "pattern": .string(ScalarSchema.pattern(["\(bound)(?:,\(bound))*"])),
            ])
    }

    private func bound(_ limit: String) -> String {
        let signs = ThresholdReader.comparisons.map(\.sign).joined(separator: "|")
        let phases = ThresholdReader.phases.joined(separator: "|")
        let kinds = (["any", "none"] + faults).joined(separator: "|")
        return " *(?:\(signs)) *\(limit)(?: +in +phase +(?:\(phases))| +in +fault +(?:\(kinds))"
            + "| *\\{ *phase *: *(?:\(phases)) *\\}| *\\{ *fault *: *(?:\(kinds)) *\\})? *"
    }
}
