import Testing

@testable import FaultInjection

@Suite struct DNSMessageTests {
    /// As a resolver asks: number 0x1234, recursion wanted, one question.
    private static func question(_ name: String, type: UInt8 = 1) -> [UInt8] {
        let labels = name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return [0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0] + labels + [0, 0, type, 0, 1]
    }

    @Test func aQuestionIsReadAndAnsweredWithTheAddress() throws {
        let bytes = Self.question("DB.chaosrig.test")
        let message = try #require(DNSMessage(bytes))
        #expect(message.name == "db.chaosrig.test")
        #expect(message.wantsIPv4)
        let reply = message.reply(.address("10.77.0.3"))
        #expect(reply[..<12] == [0x12, 0x34, 0x85, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
        #expect(reply[12..<bytes.count] == bytes[12...])
        // Not to be kept by anybody: the time to live is 0.
        #expect(reply[bytes.count...] == [0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 77, 0, 3])
    }

    @Test func failuresAreInTheCode() throws {
        let message = try #require(DNSMessage(Self.question("x.y")))
        #expect(message.reply(.noSuchName)[3] & 0x0F == 3)
        #expect(message.reply(.serverFailure)[3] & 0x0F == 2)
        #expect(message.reply(.nothing)[3] & 0x0F == 0)
        #expect(message.reply(.nothing)[7] == 0)
    }

    @Test func otherTypesAreNoQuestionsForIPv4() throws {
        #expect(try #require(DNSMessage(Self.question("x.y", type: 28))).wantsIPv4 == false)
    }

    @Test func whatIsNoQuestionIsNotAnswered() {
        let good = Self.question("db.chaosrig.test")
        for length in 0..<good.count { #expect(DNSMessage(Array(good[..<length])) == nil) }
        var answer = good
        answer[2] |= 0x80
        #expect(DNSMessage(answer) == nil)
        var pointer = good
        pointer[12] = 0xC0
        #expect(DNSMessage(pointer) == nil)
    }
}
