import Testing
import Threading

@testable import FaultProxy

@Suite struct StatementPatternTests {
    @Test(arguments: [
        (String(repeating: "(", count: 200_000), "1024 are the most"),
        (String(repeating: "(", count: 33) + "a" + String(repeating: ")", count: 33), "more than 32 parentheses"),
        ("((a{1,255}){1,255}){1,255}", "more than 1024 characters"), ("a{256}", "more than 255"),
        ("(abcdefgh?){,200}", "more than 1024 characters"), ("a{99999999999999999999}", "more than 255"),
        ("(a[]{9)[:alpha:]]{100}){11}", "more than 1024 characters"), ("a)(b", "no POSIX extended regular expression"),
    ])
    func aPatternThatCostsTooMuchOrIsBrokenIsRefused(source: String, problem: String) {
        let error = #expect(throws: CutRuleError.self) { try StatementPattern(source) }
        #expect(error?.key == "statement")
        #expect(error?.description.contains(problem) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("^update", "UPDATE t", true), ("^update", "select 'update'", false),
        ("from +accounts", "select\n1\nfrom accounts", true),
        ("a$", "b\na", true), ("a|b", "cb", true), ("^a|b$", "xb", true), ("^a|b$", "xa", false),
        ("[](){9}[]x", "(x", true), ("((a{1,10}){1,10}){1,10}", "ba", true), ("\\(", "f(", true),
        ("grün", "so grün", true),
        (String(repeating: "((((", count: 8) + "a" + String(repeating: "))))", count: 8), "a", true),
    ])
    func itIsLookedForAnywhereInTheText(source: String, text: String, isFound: Bool) throws {
        #expect(try StatementPattern(source).matches(text) == isFound)
    }

    @Test func aLongTextTakesLinearTimeAndIsLookedAtInItsFirstPart() throws {
        let long = String(repeating: "a", count: 256 << 10)
        let begin = MonotonicInstant.now
        #expect(try !StatementPattern("a.*b").matches(long + "b"))
        // A search that starts anew at each byte takes over a minute.
        #expect(begin.duration(to: .now) < .seconds(20))
        #expect(try StatementPattern("a.*b").matches("ab" + long))
    }
}
