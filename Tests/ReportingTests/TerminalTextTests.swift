import Testing

@testable import Reporting

@Test(arguments: [
    ("", 10, [""]), ("one two three", 7, ["one two", "three"]), ("one two three", 3, ["one", "two", "thr", "ee"]),
    ("abcdef", 4, ["abcd", "ef"]), ("a abcdefgh", 4, ["a", "abcd", "efgh"]), ("  a  b  ", 10, ["a b"]),
    ("日本語 日本", 6, ["日本語", "日本"]), ("日本語", 3, ["日", "本", "語"]), ("abcd", 4, ["abcd"]),
])
func textIsWrappedAtItsWidth(_ text: String, _ width: Int, _ lines: [String]) {
    #expect(TerminalText.wrap(text, width: width) == lines)
}

@Test(arguments: [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("abcd", 1, "…"), ("abcd", 0, ""), ("日本語", 4, "日…")])
func textIsCutWithAMark(_ text: String, _ width: Int, _ cut: String) {
    #expect(TerminalText.truncate(text, width: width) == cut)
}

@Test(
    "Columns are those that a terminal takes",
    arguments: [
        ("⚡", 2), ("✅", 2), ("❌", 2), ("⏰", 2), ("⌚", 2), ("✓", 1), ("✗", 1), ("→", 1), ("\u{2764}", 1),
        ("\u{2764}\u{FE0F}", 2),
        ("⚡\u{FE0E}", 1), ("e\u{301}", 1), ("\u{301}", 0), ("日", 2), ("·", 1),
    ])
func charactersHaveTheirColumns(_ text: String, _ columns: Int) { #expect(TerminalText.width(text) == columns) }

@Test func familyOfEmojiIsOneCharacterOfTwoColumns() {
    #expect(TerminalText.width(TerminalText.clean("\u{1F468}\u{200D}\u{1F469}x")) == 3)
}

@Test func linesStayAndEachIsCleaned() {
    #expect(TerminalText.cleanLines("a\u{1B}[2J\n\n  b\r\nc\r") == "a\u{FFFD}[2J\n\n  b \nc ")
}
