import Foundation
import RigModel
import Testing

@Suite struct JSONWritingTests {
    @Test(arguments: writtenForms)
    func valueIsWrittenOnOneLine(_ value: JSONValue, text: String) { #expect(value.compactText == text) }

    @Test func keysKeepTheirOrder() {
        let value: JSONValue = ["z": 1, "a": ["y": 2, "b": 3]]
        #expect(value.compactText == #"{"z":1,"a":{"y":2,"b":3}}"#)
    }

    @Test func controlCharactersAndQuotesAreEscaped() {
        let text = "a\"b\\c\nd\re\tf\u{0}g\u{1f}h\u{7f}é😀"
        #expect(JSONValue.string(text).compactText == #""a\"b\\c\nd\re\tf\u0000g\u001fh"# + "\u{7f}é😀\"")
    }

    @Test func prettyTextIndentsByTwoAndEndsWithALineFeed() {
        let value: JSONValue = ["a": [1, ["b": []]], "c": [:]]
        #expect(
            value.prettyText == """
                {
                  "a": [
                    1,
                    {
                      "b": []
                    }
                  ],
                  "c": {}
                }

                """)
    }

    /// Foundation's reader is the judge: whatever the seed draws comes back as it was, in both forms.
    @Test(arguments: UInt64(1)...40)
    func writtenValueIsReadBackUnchanged(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let value: JSONValue = ["v": randomValue(depth: 4, using: &random)]
        for text in [value.compactText, value.prettyText] {
            let read = try JSONDecoder().decode(Parsed.self, from: Data(text.utf8))
            #expect(read == Parsed(value), "seed \(seed): \(text)")
        }
    }
}

private func randomValue(depth: Int, using random: inout SeededGenerator) -> JSONValue {
    func text() -> String {
        let scalars = (0..<Int.random(in: 0...6, using: &random)).map { _ in
            Unicode.Scalar(UInt32.random(in: 0..<0xD800, using: &random)) ?? "?"
        }
        return String(String.UnicodeScalarView(scalars))
    }
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
    case 0: return .null
    case 1: return .bool(.random(using: &random))
    case 2: return .int(.random(in: .min ... .max, using: &random))
    case 3: return .double(.random(in: -1e9...1e9, using: &random))
    case 4: return .string(text())
    case 5:
        return .array((0..<3).map { _ in randomValue(depth: depth - 1, using: &random) })
    default:
        // Keys that differ in bytes but not in meaning would meet in a dictionary; numbers in front keep them apart.
        return .object(
            (0..<3).map { number in .init("\(number)" + text(), randomValue(depth: depth - 1, using: &random)) })
    }
}

/// What Foundation's reader can tell about a value.
private enum Parsed: Decodable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    case array([Parsed])
    case object([String: Parsed])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let number = try? container.decode(Int64.self) {
            self = .int(number)
        } else if let number = try? container.decode(Double.self) {
            self = .double(number)
        } else if let text = try? container.decode(String.self) {
            self = .string(text)
        } else if let items = try? container.decode([Parsed].self) {
            self = .array(items)
        } else {
            self = .object(try container.decode([String: Parsed].self))
        }
    }

    init(_ value: JSONValue) {
        switch value {
        case .null: self = .null
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .int(number)
        case .double(let number): self = .double(number)
        case .string(let text): self = .string(text)
        case .array(let items): self = .array(items.map(Parsed.init))
        case .object(let members):
            self = .object(Dictionary(uniqueKeysWithValues: members.map { ($0.key, Parsed($0.value)) }))
        }
    }
}

private let writtenForms: [(JSONValue, String)] = [
    (JSONValue.null, "null"), (true, "true"), (.int(.min), "-9223372036854775808"), (0.25, "0.25"), (3.0, "3"),
    (.double(1e15), "1000000000000000.0"), (.double(1e16), "1e+16"), (.double(.infinity), "null"),
    (.double(.nan), "null"), ("", #""""#), ([], "[]"),
    ([:], "{}"), ([1, "two", nil], #"[1,"two",null]"#),
]
