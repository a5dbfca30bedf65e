package import RigModel

/// The JSON Schema of a scenario file, made of the shapes that its reader goes by and of the catalogue. Draft 7: what the YAML
/// plug-ins of editors know best. It says what a file may hold; what goes together `chaosrig validate` knows.
package struct ScenarioSchema {
    private let catalogue: ScenarioCatalogue

    package init(_ catalogue: ScenarioCatalogue) { self.catalogue = catalogue }

    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("$schema", "http://json-schema.org/draft-07/schema#"),
            .init("$id", "https://chaosrig.invalid/scenario.schema.json"),
            .init("title", "chaosrig scenario"),
        ]
        members += object(.scenario)
        let faults = catalogue.faults.map { shape in
            JSONValue.Member("fault-\(shape.name)", described(.object(object(SectionShape(shape))), shape))
        }
        members.append(.init("definitions", .object(faults + thresholds.definitions)))
        return .object(members)
    }

    // MARK: Sections

    /// A mapping with these keys and no others. Empty is as good as missing where nothing is required.
    private func object(_ shape: SectionShape, also: [JSONValue.Member] = []) -> [JSONValue.Member] {
        let required = shape.keys.filter(\.isRequired).map(\.name)
        var members: [JSONValue.Member] = [
            .init("description", .string(shape.summary)),
            .init("type", required.isEmpty ? ["object", "null"] : "object"),
            .init("additionalProperties", false),
        ]
        if !required.isEmpty { members.append(.init("required", .array(required.map(JSONValue.string)))) }
        members.append(.init("properties", .object(shape.keys.map { .init($0.name, property($0)) } + also)))
        if shape.name == SectionShape.target.name { members.append(.init("oneOf", Self.targets)) }
        return members
    }

    /// A run has one database.
    private static let targets: JSONValue = .array(
        ["postgres", "compose", "sqlite"].map { ["required": [.string($0)]] })

    private func property(_ key: SectionKey) -> JSONValue {
        switch key.form {
        case .value(let types):
            if key.name == "name", types == [.text] { return described(Self.folderName, key) }
            return described(oneOf(ScalarSchema.any(types, from: key.lowerBound)), key)
        case .section(let shape): return .object(object(shape))
        case .valueOrSection(let types, let shape):
            return described(
                oneOf(ScalarSchema.any(types, from: key.lowerBound) + [.object(object(shape))]), key)
        case .number: return described(oneOf(ScalarSchema.plainNumber(from: key.lowerBound)), key)
        case .words:
            return described(
                ["type": "array", "minItems": 1, "items": ["type": ["string", "number", "boolean"]]], key)
        case .mix:
            let kinds = catalogue.workloads.map {
                JSONValue.Member($0.name, described(oneOf(ScalarSchema.plainNumber()), $0))
            }
            return described(
                ["type": "object", "minProperties": 1, "additionalProperties": false, "properties": .object(kinds)], key
            )
        case .faults: return described(["type": ["array", "null"], "items": .object(item)], key)
        case .invariants:
            return described(
                [
                    "type": "object", "minProperties": 1, "additionalProperties": false,
                    "properties": .object(catalogue.invariants.map { .init($0.name, invariant($0)) }),
                ], key)
        }
    }

    /// Names the run folder, too.
    private static let folderName = JSONValue.object([
        .init("type", ["string", "number", "boolean"]),
        .init("pattern", .string(#"^(?=.*[^.])[A-Za-z0-9._-]{1,100}$|"# + ScalarSchema.variable)),
    ])

    private var thresholds: ThresholdSchema {
        ThresholdSchema(operations: catalogue.workloads.map(\.name), faults: catalogue.faults.map(\.name))
    }

    private func invariant(_ shape: Shape) -> JSONValue {
        guard shape.takesThresholds else { return .object(object(SectionShape(shape))) }
        var members = object(SectionShape(shape), also: thresholds.properties)
        members = members.filter { $0.key != "type" } + [.init("type", "object"), .init("minProperties", 1)]
        return .object(members)
    }

    // MARK: Faults

    /// One item of `faults:`.
    private var item: [JSONValue.Member] {
        let random = group("random", .randomGroup, of: .randomMember)
        let sequence = group("sequence", .sequence, of: .sequenceMember)
        var properties = SectionShape.fault.keys.map { JSONValue.Member($0.name, property($0)) }
        properties += [random.key, sequence.key]
        properties += SectionShape.sequence.keys.filter { SectionShape.fault[$0.name] == nil }.map {
            JSONValue.Member($0.name, property($0))
        }
        var members = one(of: catalogue.faults.map(\.name) + ["random", "sequence"], properties + kinds)
        members.append(
            .init("allOf", .array([random.rule, sequence.rule, Self.noDuration(momentary), Self.onlyInSequence])))
        return members
    }

    /// `random: […]`, and that it takes no keys but its own.
    private func group(
        _ name: String, _ shape: SectionShape, of member: SectionShape
    ) -> (key: JSONValue.Member, rule: JSONValue) {
        var items = one(of: catalogue.faults.map(\.name), member.keys.map { .init($0.name, property($0)) } + kinds)
        // In a group each fault must end before the next one begins.
        let lasting = catalogue.faults.filter(\.isLasting).map(\.name)
        items.append(
            .init(
                "allOf",
                [Self.noDuration(momentary), ["if": Self.names(lasting), "then": ["required": ["for"]]]]))
        let key = JSONValue.Member(
            name, ["description": .string(shape.summary), "type": "array", "minItems": 1, "items": .object(items)])
        return (key, ["if": ["required": [.string(name)]], "then": ["not": ["required": ["for"]]]])
    }

    private var kinds: [JSONValue.Member] {
        catalogue.faults.map { shape in
            .init(shape.name, ["$ref": .string("#/definitions/fault-\(shape.name)")])
        }
    }

    private var momentary: [String] { catalogue.faults.filter { !$0.isLasting }.map(\.name) }

    private static let onlyInSequence: JSONValue = [
        "if": ["required": ["gap"]], "then": ["required": ["sequence"]],
    ]

    /// A fault that is over at once takes no `for:`.
    private static func noDuration(_ kinds: [String]) -> JSONValue {
        ["if": names(kinds), "then": ["not": ["required": ["for"]]]]
    }

    private static func names(_ kinds: [String]) -> JSONValue {
        kinds.isEmpty ? false : ["anyOf": .array(kinds.map { ["required": [.string($0)]] })]
    }

    /// A mapping that names exactly one of these.
    private func one(of names: [String], _ properties: [JSONValue.Member]) -> [JSONValue.Member] {
        [
            .init("type", "object"), .init("additionalProperties", false), .init("properties", .object(properties)),
            .init("oneOf", .array(names.map { ["required": [.string($0)]] })),
        ]
    }

    // MARK: Words

    private func oneOf(_ alternatives: [JSONValue]) -> JSONValue {
        alternatives.count == 1 ? alternatives[0] : ["anyOf": .array(alternatives)]
    }

    private func described(_ schema: JSONValue, _ key: SectionKey) -> JSONValue {
        var members: [JSONValue.Member] = [.init("description", .string(key.summary))]
        if let standard = key.standard { members.append(.init("default", Self.json(standard))) }
        guard case .object(let rest) = schema else { return schema }
        return .object(members + rest)
    }

    private func described(_ schema: JSONValue, _ shape: Shape) -> JSONValue {
        guard case .object(let members) = schema else { return schema }
        return .object([.init("description", .string(shape.summary))] + members.filter { $0.key != "description" })
    }

    private static func json(_ value: ParameterValue) -> JSONValue {
        switch value {
        case .count(let count): JSONValue(count)
        case .flag(let flag): .bool(flag)
        default: .string(value.text)
        }
    }
}
