import ConnectionPool
import RigModel
import Testing

@testable import PostgresDriver

struct TextValuesTests {
    @Test func nulByteIsRefusedBeforeAnythingIsSent() {
        let refusal = TextValues.refusal(of: SQLStatement("select 'a\0b'", role: .read))
        #expect(refusal?.cause == .server(sqlState: "22021"))
        #expect(refusal?.requestSent == false)
        #expect(ParameterText.withStrings([.text("fine"), .text("a\0")]) { _, _ in true } == nil)
    }

    @Test func valuesBecomeTheTextsThatTheServerReads() {
        let values: [SQLValue] = [
            .int(0), .int(.min), .int(.max), .int(-70), .bool(true), .bool(false), .null, .text(""), .text("☂ x"),
            .double(0.1), .double(-.infinity), .double(-Double.greatestFiniteMagnitude),
        ]
        let texts = ParameterText.withStrings(values) { strings, count in
            (0..<Int(count)).map { index in strings?[index].map { String(cString: $0) } }
        }
        #expect(
            texts == [
                "0", "-9223372036854775808", "9223372036854775807", "-70", "t", "f", nil, "", "☂ x", "0.1", "-inf",
                "-1.7976931348623157e+308",
            ])
    }

    @Test func tooManyParametersAreRefused() {
        let most = SQLStatement("", Array(repeating: .null, count: 65535), role: .read)
        #expect(TextValues.refusal(of: most) == nil)
        let over = SQLStatement("", Array(repeating: .null, count: 65536), role: .read)
        #expect(TextValues.refusal(of: over)?.cause == .server(sqlState: "54023"))
    }

    @Test(
        "Numbers are read from their digits; what is none, or does not fit, stays text",
        arguments: [
            ("0", 20, SQLValue.int(0)), ("-1", 23, .int(-1)), ("9223372036854775807", 20, .int(.max)),
            ("-9223372036854775808", 20, .int(.min)), ("9223372036854775808", 20, .text("9223372036854775808")),
            ("99999999999999999999", 20, .text("99999999999999999999")), ("-", 20, .text("-")), ("", 20, .text("")),
            ("1x", 21, .text("1x")), ("1.50", 1700, .text("1.50")), ("1.5", 701, .double(1.5)), ("t", 16, .bool(true)),
        ] as [(String, UInt32, SQLValue)])
    func decoding(text: String, type: UInt32, value: SQLValue) {
        let decoded = Array(text.utf8).withUnsafeBytes { TextValues.decode($0, typeOID: type) }
        #expect(decoded == value)
    }
}
