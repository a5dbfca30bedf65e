import Foundation
import Reporting
import RigModel
import Testing

private let scenario = """
    # A scenario.
    name: db-restart
    faults:
      - restart: {}
    invariants:
      recovery: {within: 5s}
      zero-leaked-connections: {}
      timeouts: {}
    """

// MARK: Annotations

@Test func eachInvariantThatDoesNotHoldIsAnnotatedAtItsLine() {
    let lines = WorkflowAnnotations.lines(sampleReport(), file: "faults/db-restart.yaml", scenario: scenario)
    #expect(lines.count == 2)
    #expect(
        lines[0]
            == "::error file=faults/db-restart.yaml,line=7,title=db-restart%3A zero-leaked-connections violated::"
            + "1 lease not given back; 14 connections opened%0A"
            + "Connection 3 was borrowed and never given back: expected no lease is out, seen held for 12 s "
            + "(10.5 s, restart #0 (immediate, down for 2 s))%0A"
            + "replay: chaosrig replay runs/db-restart/2026-11-21T01-02-03Z-42")
    #expect(
        lines[1].hasPrefix("::warning file=faults/db-restart.yaml,line=8,title=db-restart%3A timeouts could not be"))
}

@Test func invariantThatTheFileDoesNotNameIsAnnotatedAtItsSection() {
    let usual = "name: x\ninvariants: {recovery: {}}\n"
    #expect(WorkflowAnnotations.lines(sampleReport(), file: "x.yaml", scenario: usual)[0].contains("line=2,"))
    #expect(WorkflowAnnotations.lines(sampleReport(), file: "x.yaml", scenario: "")[0].contains("line=1,"))
}

@Test func nothingInAnAnnotationEndsItOrBeginsAnother() throws {
    var report = sampleReport()
    report.scenario = "a:b,c%\r\n::error::x"
    report.invariants[0].summary = "100 %\n::stop-commands::now\r\n"
    report.invariants[0].findings[0].title = "x\r::warning::y"
    for line in WorkflowAnnotations.lines(report, file: "a,b:c\n.yaml", scenario: scenario) {
        #expect(line.contains(where: \.isNewline) == false)
        let properties = try #require(line.dropFirst(2).firstRange(of: "::"))
        // file, line and title, and no colon or comma within them.
        let head = String(line[..<properties.lowerBound].dropFirst(2))
        #expect(head.count { $0 == "," } == 2)
        #expect(head.contains(":") == false)
    }
    #expect(WorkflowAnnotations.lines(report, file: "f", scenario: "")[0].contains("100 %25%0A::stop-commands"))
}

@Test func runThatIsNotGreenForAnotherReasonIsAnnotatedOnce() {
    var report = sampleReport()
    report.invariants = []
    report.verdict = .valid
    report.exitCode = 5
    let lines = WorkflowAnnotations.lines(report, file: "f", scenario: scenario)
    #expect(lines.count == 1 && lines[0].contains("did not land: no chunk was delayed.%0Areplay: "))
    report.exitCode = 0
    #expect(WorkflowAnnotations.lines(report, file: "f", scenario: scenario).isEmpty)
}

@Test(
    arguments: [
        ("faults/a.yaml", "/w/repo", "/w/repo", "faults/a.yaml"), ("./a.yaml", "/w/repo", "/w/repo", "a.yaml"),
        ("./a.yaml", "/w/repo/rig", "/w/repo", "rig/a.yaml"), ("../x/a.yaml", "/w/repo/rig", "/w/repo/", "x/a.yaml"),
        ("/w/repo/rig/a.yaml", "/tmp", "/w/repo", "rig/a.yaml"), ("a.yaml", "/w/repo2", "/w/repo", "/w/repo2/a.yaml"),
        ("./a.yaml", "/w/repo", nil, "a.yaml"), ("/w/repo/a.yaml", "/w/repo", nil, "a.yaml"),
        ("/../a.yaml", "/w", "/", "a.yaml"),
    ] as [(String, String, String?, String)])
func annotatedPathsCountFromTheCheckout(_ file: String, _ folder: String, _ checkout: String?, _ path: String) {
    #expect(WorkflowAnnotations.path(of: file, in: folder, checkout: checkout) == path)
}

// MARK: The log

@Test func nothingInALogIsACommand() {
    let hostile = "::stop-commands::x\n \u{A0}\t::error::y\r::z\u{301}\u{85}::b ::c:: ##[error]d ###[e ##\u{301}[f :"
    let text = WorkflowLog.defused(hostile)
    // As the runner looks: at what a line begins with behind white space, and for the old form anywhere.
    for line in text.unicodeScalars.split(whereSeparator: { $0 == "\n" || $0 == "\r" }) {
        let trimmed = Array(line.drop { $0.properties.isWhitespace }.prefix(2))
        #expect(trimmed != [":", ":"])
    }
    #expect(text.utf8.count == hostile.utf8.count + 5 * 3)
    #expect(text.range(of: "##[", options: .literal) == nil)
    #expect(text.replacing("\u{200B}", with: "") == hostile)
    #expect(WorkflowLog.defused("a::b:: #[c] ##") == "a::b:: #[c] ##")
}

// MARK: Summary of the step

@Test func markdownSaysWhatBrokeAndHowToReplay() {
    let page = MarkdownSummary.render(sampleReport())
    #expect(page.hasPrefix("## ❌ db-restart: invalid\n\nSeed 42, 32.4 s, managed PostgreSQL, exit code 1\n"))
    #expect(page.contains("| ❌ | zero-leaked-connections | 1 lease not given back; 14 connections opened |"))
    #expect(page.contains("- **Connection 3 was borrowed and never given back** (10.5 s, restart \\#0 "))
    #expect(
        page.contains("1 of 2 faults landed.") && page.contains("- did not land: slow-network \\#1 100 ms each way"))
    #expect(page.contains("| append | 100 | 12 | 3 | 50.1 ms | 99.1 ms | 100 ms |"))
    #expect(page.contains("```sh\nchaosrig replay runs/db-restart/2026-11-21T01-02-03Z-42\n```"))
}

@Test func nothingFromAServerIsMarkup() {
    var report = sampleReport()
    report.invariants[0].findings[0].seen = "<script>|`x`|\n# head [a](b) **c** @user &amp; \u{1B}[2J"
    report.invariants[0].summary = "a | b\n| c"
    report.replay = "run '```'"
    let page = MarkdownSummary.render(report)
    #expect(
        page.contains("&lt;script&gt;\\|\\`x\\`\\| \\# head \\[a\\](b) \\*\\*c\\*\\* &#64;user &amp;amp; \u{FFFD}\\[2J")
    )
    #expect(page.contains("| a \\| b \\| c |"))
    let fences = page.components(separatedBy: "```").count - 1
    #expect(fences == 2)
}

/// Each with an accent on it, which makes one character of the two.
@Test func signsUnderAccentsAreEscapedToo() {
    var report = sampleReport()
    let signs = "<>&@\\`*_|[]#~%:,\n"
    report.scenario = String(String.UnicodeScalarView(signs.unicodeScalars.flatMap { [$0, "\u{301}"] }))
    let page = MarkdownSummary.render(report)
    let head = page.split(separator: "\n")[0].unicodeScalars.filter { $0 != "\u{301}" }
    let escaped = "## ❌ &lt;&gt;&amp;&#64;\\\\\\`\\*\\_\\|\\[\\]\\#\\~%:, : invalid"
    #expect(String(String.UnicodeScalarView(head)) == escaped)
    let line = WorkflowAnnotations.lines(report, file: "f", scenario: "")[0].unicodeScalars.filter { $0 != "\u{301}" }
    #expect(String(String.UnicodeScalarView(line)).contains("title=<>&@\\`*_|[]#~%25%3A%2C%0A%3A zero-leaked"))
}

@Test func longListsOfFindingsEnd() {
    var report = sampleReport()
    report.invariants[0].findings = Array(repeating: report.invariants[0].findings[0], count: 5000)
    let page = MarkdownSummary.render(report)
    #expect(page.contains("- and 4980 more in report.json") && page.utf8.count < 10_000)
}

// MARK: JUnit of several scenarios

@Test func scenarioThatDidNotRunIsAnError() {
    let text = JUnit.encode(runs: [
        .judged(sampleReport()), .failed(scenario: "a<b", reason: "no server & nothing else"),
    ])
    #expect(
        text.contains(
            "<testsuite name=\"a&lt;b\" tests=\"1\" failures=\"0\" errors=\"1\" skipped=\"0\" time=\"0.000\">"))
    #expect(text.contains("message=\"did not run\" type=\"error\">no server &amp; nothing else</error>"))
    // Six of the run, three of them invariants, and one of what did not run.
    #expect(text.contains("<testsuites name=\"chaosrig\" tests=\"7\""))
}
