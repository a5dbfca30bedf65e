import ConnectionPool
import RigModel
import Testing

@testable import PostgresDriver

struct TextValuesTests {
    @Test func nulByteIsRefusedBeforeAnythingIsSent() {
        for statement in [
            SQLStatement("select 'a\0b'", role: .read), SQLStatement("select $1", [.text("a\0")], role: .read),
        ] {
            let refusal = TextValues.refusal(of: statement)
            #expect(refusal?.cause == .server(sqlState: "22021"))
            #expect(refusal?.requestSent == false)
        }
    }

    @Test func tooManyParametersAreRefused() {
        let most = SQLStatement("", Array(repeating: .null, count: 65535), role: .read)
        #expect(TextValues.refusal(of: most) == nil)
        let over = SQLStatement("", Array(repeating: .null, count: 65536), role: .read)
        #expect(TextValues.refusal(of: over)?.cause == .server(sqlState: "54023"))
    }

    @Test func numbersThatDoNotFitStayText() {
        #expect(TextValues.decode("99999999999999999999", typeOID: 20) == .text("99999999999999999999"))
        #expect(TextValues.decode("1.50", typeOID: 1700) == .text("1.50"))
    }
}
