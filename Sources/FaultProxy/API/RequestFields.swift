import RigModel

/// The fields of a request's body, read as Go's decoder reads them, since clients rely on it: only the first JSON value
/// counts, keys match whatever their case, unknown ones are ignored, `null` is as if the key were not there, and of several
/// with one name the last counts.
struct RequestFields {
    private let members: [JSONValue.Member]

    /// - Throws: ``ProxySetError/badRequest(_:)``.
    init(_ body: [UInt8]) throws(ProxySetError) { try self.init(Self.value(body), "the body") }

    /// - Parameter place: for messages.
    init(_ value: JSONValue, _ place: String) throws(ProxySetError) {
        switch value {
        case .object(let members): self.members = members
        case .null: members = []
        default: throw .badRequest("\(place) must be an object, not \(value.kind)")
        }
    }

    /// The first value of a body.
    static func value(_ body: [UInt8]) throws(ProxySetError) -> JSONValue {
        // Go's word for a body without anything in it.
        if body.allSatisfy({ $0 == 0x20 || (0x09...0x0D).contains($0) }) { throw .badRequest("EOF") }
        do { return try JSONValue(parsingFirstOf: body) } catch { throw .badRequest("\(error)") }
    }

    func value(_ name: String) -> JSONValue? {
        members.last { $0.value != .null && $0.key.lowercased() == name }?.value
    }

    func string(_ name: String) throws(ProxySetError) -> String? {
        guard let value = value(name) else { return nil }
        guard case .string(let text) = value else { throw .badRequest("\(name) must be a string, not \(value.kind)") }
        return text
    }

    func bool(_ name: String) throws(ProxySetError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard case .bool(let flag) = value else {
            throw .badRequest("\(name) must be true or false, not \(value.kind)")
        }
        return flag
    }

    /// A toxicity: 0…1, as a number of 32 bits.
    func toxicity() throws(ProxySetError) -> Float? {
        guard let value = value("toxicity") else { return nil }
        guard let number = value.doubleValue else { throw .badRequest("toxicity must be a number, not \(value.kind)") }
        guard (0...1).contains(number) else {
            throw .badRequest("toxicity must be from 0 to 1, not \(value.compactText)")
        }
        return Float(number)
    }
}

extension JSONValue {
    /// What it is, in a word for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .int, .double: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
