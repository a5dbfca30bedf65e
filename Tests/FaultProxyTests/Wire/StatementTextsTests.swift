import Testing

@testable import FaultProxy

@Suite struct StatementTextsTests {
    @Test(arguments: [1, 200, 256, 257, 1 << 20])
    func namesAreCountedAndLongOnesNotKept(length: Int) {
        var texts = StatementTexts()
        for number in 0..<600 {
            let name = String(repeating: "n", count: length - 1) + String(UnicodeScalar(UInt8(33 + number % 90)))
            let text = "\(number)" + String(repeating: "x", count: number % 2 == 0 ? 9 : 16_000)
            for message in [Wire.parse(name, text), Wire.bind(name, name)] where length < 1000 || number < 20 {
                let body = Array(message[5...])
                let found = body.withUnsafeBytes { texts.note(message[0], $0) }
                #expect(found == (message[0] == UInt8(ascii: "P") || length <= 256 ? text : nil))
            }
            #expect(texts.keptBytes <= 1 << 19)
        }
        #expect((texts.keptBytes == 0) == (length > 256))
    }

    @Test func theUnnamedStatementIsNotForgottenForOthers() {
        var texts = StatementTexts()
        func note(_ message: [UInt8]) -> String? { message[5...].withUnsafeBytes { texts.note(message[0], $0) } }
        _ = note(Wire.parse("", "mine"))
        for number in 0..<2000 { _ = note(Wire.parse("s\(number)", "other")) }
        #expect(note(Wire.bind("", "")) == "mine")
        #expect(note(Wire.bind("", "s0")) == nil)
        #expect(note(Wire.bind("", "s1999")) == "other")
    }
}
