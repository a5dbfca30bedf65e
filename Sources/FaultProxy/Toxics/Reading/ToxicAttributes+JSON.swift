package import RigModel

extension ToxicType {
    /// What a toxic has of which nothing was said.
    package var standardAttributes: ToxicAttributes {
        ToxicAttributes(attributes.map { JSONValue.Member($0.name, $0.standard) })
    }

    /// A new toxic with the attributes of a request; those that are not named are the standard ones.
    ///
    /// - Throws: ``ToxicAttributeError`` for the first value that cannot be.
    package func toxic(from json: JSONValue = .null) throws(ToxicAttributeError) -> any Toxic {
        make(try standardAttributes.merged(with: json, of: self))
    }
}

extension Toxic {
    /// The toxic with some attributes changed, as Toxiproxy's PATCH does it.
    ///
    /// - Throws: ``ToxicAttributeError`` for the first value that cannot be.
    package func merged(with json: JSONValue) throws(ToxicAttributeError) -> any Toxic {
        Self(try attributes.merged(with: json, of: Self.type))
    }
}

extension ToxicAttributes {
    /// The attributes with those replaced that a JSON object names, with the rules of Toxiproxy's decoder: keys in any case,
    /// the last one of several counts, unknown ones are ignored; `null`, also instead of the object, keeps what there was.
    ///
    /// - Throws: ``ToxicAttributeError`` for the first value that has the wrong type, lies out of its bounds or, like
    ///   `1.0`, is no whole number where one is wanted.
    package func merged(with json: JSONValue, of type: ToxicType) throws(ToxicAttributeError) -> ToxicAttributes {
        if json == .null { return self }
        guard case .object(let members) = json else {
            throw ToxicAttributeError(attribute: "attributes", expected: "an object", seen: json.shortText)
        }
        var merged = self
        for member in members where member.value != .null {
            let key = member.key.lowercased()
            guard let attribute = type.attributes.first(where: { $0.name == key }) else { continue }
            let value = try attribute.accept(member.value)
            merged.values.removeAll { $0.key == attribute.name }
            merged.values.append(JSONValue.Member(attribute.name, value))
        }
        merged.values = type.attributes.compactMap { attribute in
            merged.values.first { $0.key == attribute.name }
        }
        return merged
    }
}

extension ToxicAttribute {
    /// The value, when the attribute can have it.
    package func accept(_ value: JSONValue) throws(ToxicAttributeError) -> JSONValue {
        switch (kind, value) {
        case (.integer(let bounds), .int(let number)) where bounds.contains(number): return value
        case (.real(let bounds), .int(let number)) where bounds.contains(Double(number)):
            return .double(Double(number))
        case (.real(let bounds), .double(let number)) where bounds.contains(number): return value
        case (.choice(let choices), .string(let word)) where choices.contains(word): return value
        default: throw ToxicAttributeError(attribute: name, expected: expectation, seen: value.shortText)
        }
    }

    /// What it can be, in words for an error or a help text.
    package var expectation: String {
        switch kind {
        case .integer(let bounds) where bounds.upperBound == .max: "a whole number from \(bounds.lowerBound)"
        case .integer(let bounds): "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
        case .real(let bounds):
            "a number from \(JSONValue(bounds.lowerBound).compactText) to \(JSONValue(bounds.upperBound).compactText)"
        case .choice(let choices): "one of \(choices.map { "\"\($0)\"" }.joined(separator: ", "))"
        }
    }
}

extension JSONValue {
    /// For an error: bounded, and a number as it was written with its fraction.
    fileprivate var shortText: String {
        switch self {
        case .array: "an array"
        case .object: "an object"
        case .double(let number): "\(number)"
        case .string(let text) where text.utf8.count > 60: JSONValue.string(text.prefix(40) + "…").compactText
        default: compactText
        }
    }
}
