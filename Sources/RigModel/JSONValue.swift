/// A JSON value whose objects keep the order of their keys, so that what is written can be read by a person.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// One key and its value.
    package struct Member: Sendable, Equatable {
        package var key: String
        package var value: JSONValue
        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    /// The member of an object, or `nil`. O(number of members).
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    package var stringValue: String? { if case .string(let text) = self { text } else { nil } }
    package var boolValue: Bool? { if case .bool(let flag) = self { flag } else { nil } }
    package var arrayValue: [JSONValue]? { if case .array(let items) = self { items } else { nil } }
    package var intValue: Int64? { if case .int(let number) = self { number } else { nil } }
    /// The number, also where it was written without a fraction.
    package var doubleValue: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByFloatLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .int(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .double(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
    package init(nilLiteral: ()) { self = .null }

    package init(_ number: some BinaryInteger) { self = .int(Int64(clamping: number)) }
    package init(_ text: String) { self = .string(text) }
    package init(_ flag: Bool) { self = .bool(flag) }
    package init(_ number: Double) { self = .double(number) }
    package init(_ text: String?) { self = text.map(JSONValue.string) ?? .null }
    package init(_ number: Double?) { self = number.map(JSONValue.double) ?? .null }
    package init(_ number: Int?) { self = number.map { .int(Int64($0)) } ?? .null }
}
