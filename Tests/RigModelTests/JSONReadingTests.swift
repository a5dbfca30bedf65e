import Foundation
import RigModel
import Testing

@Test(arguments: [
    (" {\"b\" : 1 , \"a\":[ ]}\r\n", ["b": 1, "a": []] as JSONValue),
    ("-0", 0), ("9223372036854775807", .int(.max)), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
    ("1.0", .double(1)), ("1e2", .double(100)), ("-1.5E-1", .double(-0.15)),
    (#""\u00e9\/\b\f\ud83d\ude00""#, "é/\u{8}\u{C}\u{1F600}"),
    // Half of a surrogate pair, alone and before other escapes.
    (#""\ud83d""#, "\u{FFFD}"), (#""\ud83d\n""#, "\u{FFFD}\n"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
    (#""\ude00x""#, "\u{FFFD}x"),
])
func jsonIsRead(_ text: String, _ expected: JSONValue) throws {
    #expect(try JSONValue(parsing: text) == expected)
}

@Test(arguments: [
    "", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "01", "1.", ".5", "+1", "1e", "--1", "tru", "nul", "True",
    "\"", "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"", "[1 2]", "1 2", "{}{}", "1e999", "]", "\"\\",
])
func whatIsNotJSONIsRefused(_ text: String) {
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: text) }
}

@Test func textThatIsNotUTF8IsRefused() {
    #expect(throws: JSONSyntaxError(offset: 3, problem: "a string holds bytes that are not UTF-8")) {
        try JSONValue(parsing: [0x22, 0xC3, 0x28, 0x22])
    }
}

@Test func nestingHasALimitAndDoesNotExhaustTheStack() throws {
    let limit = JSONValue.depthLimit
    _ = try JSONValue(parsing: String(repeating: "[", count: limit) + String(repeating: "]", count: limit))
    let error = #expect(throws: JSONSyntaxError.self) {
        try JSONValue(parsing: String(repeating: "[", count: 100_000))
    }
    #expect(error?.offset == limit)
}

/// Foundation reads what we write, and means the same.
@Test func foundationAgreesAboutWhatIsWritten() throws {
    var random = SeededGenerator(seed: 11)
    for _ in 0..<300 {
        let value = JSONValue.array([randomValue(&random, depth: 0)])
        let ours = try JSONValue(parsing: value.compactText)
        #expect(ours == value)
        let theirs = try JSONSerialization.jsonObject(with: Data(value.compactText.utf8)) as? NSArray
        let again = try JSONSerialization.jsonObject(with: Data(ours.prettyText.utf8)) as? NSArray
        #expect(theirs != nil && theirs == again)
    }
}
