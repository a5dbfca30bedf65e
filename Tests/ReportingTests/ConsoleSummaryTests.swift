import Reporting
import RigModel
import Testing

private func render(_ report: RunReport = sampleReport(), width: Int = 100, color: Bool = false) -> String {
    ConsoleSummary.render(report, reportPath: "runs/db-restart/latest/report.html", width: width, color: color)
}

@Test func wholeSummaryReadsFromTheVerdictToTheReplayCommand() {
    #expect(
        render() == """
            ✗ INVALID db-restart: zero-leaked-connections violated; timeouts undecided
              seed 42, 32.4 s, managed PostgreSQL, exit code 1

            What broke
              1. zero-leaked-connections: Connection 3 was borrowed and never given back
                 expected no lease is out
                 seen     held for 12 s
                 at       10.5 s
                 fault    restart #0 (immediate, down for 2 s)
                 site     Sources/App/Pay.swift:12
                 events   120, 133 of history.jsonl

            Invariants
              ✗ zero-leaked-connections  1 lease not given back; 14 connections opened
              ? timeouts                 not judged: no connection was ever acquired
              ✓ recovery                 back after 1 fault, at worst: first success 310 ms

            Faults
              ✓ restart #0 immediate, down for 2 s: at 10 s, healed at 12.3 s
              ✗ slow-network #1 100 ms each way: at 14 s, never healed, did not land: no chunk was delayed

            Workload
              kind      ok   fail   info       p50       p99      max
              append   100     12      3   50.1 ms   99.1 ms   100 ms
              leak       0      2      0         -         -        -
              append failed: 57P01 session-ended ×12, connection-lost ×3
              dropped: 7 scheduled operations were never started, because every client was busy

            Recovery (after the heal)
              fault        first ok   full pool   throughput     p95   lost
              restart #0     310 ms      520 ms       600 ms   never    103

            Notes
              ! The fault slow-network #1 did not land: no chunk was delayed.

            ✗ INVALID db-restart: zero-leaked-connections violated; timeouts undecided
              report runs/db-restart/latest/report.html
              replay chaosrig replay runs/db-restart/2026-11-21T01-02-03Z-42

            """)
}

@Test(arguments: [1, 20, 33, 40, 61, 80, 200])
func noLineIsWiderThanThePageButTheOnesThatAreCopied(_ width: Int) {
    for line in render(width: width).split(separator: "\n") where !line.hasPrefix("  re") {
        #expect(line.count <= max(20, width), "\(line)")
    }
    #expect(render(width: width).hasSuffix("replay chaosrig replay runs/db-restart/2026-11-21T01-02-03Z-42\n"))
}

@Test(arguments: [20, 40, 100])
func colourAddsNothingButColour(_ width: Int) {
    let plain = render(width: width)
    let colored = render(width: width, color: true)
    #expect(!plain.contains("\u{1B}"))
    #expect(colored.contains("\u{1B}[31m✗ INVALID\u{1B}[0m"))
    #expect(colored.replacing(#/\u{1B}\[[0-9;]*m/#, with: "") == plain)
}

@Test func nothingFromAServerReachesTheTerminalUncleaned() {
    var report = sampleReport()
    report.invariants[0].findings[0].seen = "\u{1B}[2J\u{1B}]0;owned\u{7}line\r\nbreak \u{202E}backwards\u{85}x"
    report.target = "host\u{9B}31m"
    report.workload[0].failures = [("bad\tname\u{0}", 1)]
    report.replay = "replay\u{1B}[0m"
    let text = render(report)
    for scalar in text.unicodeScalars where scalar != "\n" {
        #expect(![.control, .format].contains(scalar.properties.generalCategory), "\(scalar.value)")
    }
    #expect(text.contains("line break"))
}

@Test func longListsAreCut() {
    var report = sampleReport()
    report.invariants[0].findings = Array(repeating: report.invariants[0].findings[0], count: 20)
    report.invariants[0].findings[0].events = Array(0..<500)
    report.invariants[1].summary = String(repeating: "word ", count: 200)
    let text = render(report, width: 80)
    #expect(text.contains("     and 17 more of zero-leaked-connections, in report.json\n"))
    #expect(text.contains("0, 1, 2, 3, 4, 5, 6, 7, … of history.jsonl"))
    #expect(text.split(separator: "\n").count { $0.contains("word") } == 1)
    // The verdict is the first line, and is there again above what to do next.
    let verdicts = text.split(separator: "\n").enumerated().filter { $0.element.hasPrefix("✗ INVALID") }.map(\.offset)
    #expect(verdicts.first == 0 && verdicts.count == 2)
}

@Test func emptyReportIsShortAndSaysSo() {
    var report = sampleReport()
    report.verdict = .valid
    report.exitCode = 0
    report.invariants = []
    report.faults = []
    report.workload = []
    report.recovery = []
    report.notes = []
    let text = ConsoleSummary.render(report, reportPath: nil, width: 80, color: false)
    #expect(
        text == """
            ✓ VALID db-restart: 0 of 0 invariants hold
              seed 42, 32.4 s, managed PostgreSQL, exit code 0

            Invariants
              none

              replay chaosrig replay runs/db-restart/2026-11-21T01-02-03Z-42

            """)
}

@Test func validRunThatLeftSomethingBehindDoesNotLookGreen() {
    var report = sampleReport()
    report.verdict = .valid
    report.exitCode = 5
    report.invariants = [report.invariants[1]]
    let line = "? VALID db-restart: 1 of 1 invariants hold, but something was left behind: exit code 5"
    #expect(render(report).split(separator: "\n").count { $0 == line } == 2)
    #expect(render(report, color: true).hasPrefix("\u{1B}[33m? VALID"))
    let page = MarkdownSummary.render(report)
    #expect(page.hasPrefix("## ❔ db-restart: valid, but something was left behind: exit code 5\n"))
    report.exitCode = 0
    #expect(render(report).hasPrefix("✓ VALID db-restart: 1 of 1 invariants hold\n"))
}

@Test func manyFaultsAreCountedByKindAndTheWorstAreNamed() {
    var report = sampleReport()
    report.faults = (0..<60).map {
        FaultRecord(
            number: $0, kind: $0 % 2 == 0 ? "restart" : "freeze", detail: "", injectedAtSeconds: Double($0),
            healedAtSeconds: Double($0) + 1, landed: $0 != 7, evidence: "no proof")
    }
    report.recovery = (0..<60).map {
        RecoveryRecord(
            fault: "restart #\($0)", firstOkSeconds: 0.1, fullPoolSeconds: nil,
            baselineThroughputSeconds: $0 == 30 ? nil : Double($0 % 50), baselineP95Seconds: nil, lostOperations: 0)
    }
    let text = render(report)
    let faults = """
        Faults
          ✓ restart: 30 of 30 landed
          ✗ freeze: 29 of 30 landed
          ✗ freeze #7: at 7 s, healed at 8 s, did not land: no proof

        """
    #expect(text.contains(faults))
    let shown = text.matches(of: #/\n  restart \#([0-9]+) /#).map { Int($0.1) }
    #expect(shown == [30, 45, 46, 47, 48, 49])
    #expect(text.contains("\n  and 54 more that were faster, in report.json\n"))
    #expect(text.split(separator: "\n").count < 45)
    for index in report.faults.indices { report.faults[index].landed = false }
    report.recovery = report.recovery.map {
        var never = $0
        never.firstOkSeconds = nil
        return never
    }
    let worse = render(report)
    #expect(worse.contains("\n  and 50 more that did not land, in report.json\n"))
    #expect(worse.contains("\n  and 50 more, in report.json\n"))
}

/// The second invariant's findings go on behind those of the first that are not shown.
@Test func findingsHaveTheNumbersOfThePage() {
    var report = sampleReport()
    report.invariants[1].findings = report.invariants[0].findings
    report.invariants[0].findings = Array(repeating: report.invariants[0].findings[0], count: 20)
    let numbers = render(report).matches(of: #/\n  ([0-9]+)\. /#).map { Int($0.1) }
    #expect(numbers == [1, 2, 3, 21])
}

@Test func interruptionIsInTheHeadline() {
    var report = sampleReport()
    (report.verdict, report.invariants, report.exitCode) = (.unknown, [], 130)
    report.notes = ["interrupted by SIGINT"]
    let text = ConsoleSummary.render(report, reportPath: nil, width: 100, color: false)
    #expect(text.hasPrefix("? UNKNOWN db-restart: interrupted by SIGINT\n"), "\(text)")
}

@Test(
    "What could not be written changes no verdict but a green exit code",
    arguments: [(0, 5), (1, 1), (4, 4), (130, 130)])
func unwrittenReportIsTold(_ before: Int, _ after: Int) {
    var report = sampleReport()
    (report.verdict, report.exitCode) = (before == 0 ? .valid : report.verdict, before)
    let verdict = report.verdict
    report.noteUnwritten(["cannot write report.html: No space left on device"])
    #expect(report.exitCode == after && report.verdict == verdict)
    #expect(report.unwritten == ["cannot write report.html: No space left on device"])
    let text = ConsoleSummary.render(report, reportPath: nil, width: 160, color: false)
    #expect(text.contains("cannot write report.html: No space left on device"))
    #expect(before != 0 || text.contains("hold, but its report is not whole: exit code 5"), "\(text)")
}

@Test("What was back with the heal was so at once, and of a proof of nothing its reason is read")
func atOnceAndWhy() {
    var report = sampleReport()
    report.recovery[0].firstOkSeconds = 0
    report.faults[1].evidence = ["proof": "calls", "reason": "no write calls that failed within 300 ms"]
    let text = ConsoleSummary.render(report, reportPath: nil, width: 120, color: false)
    #expect(text.contains("restart #0    at once") && !text.contains("0 ns"))
    #expect(text.contains("did not land: no write calls that failed within 300 ms\n"))
    #expect(JUnit.encode([report]).contains("100 ms each way: no write calls that failed within 300 ms<"))
}
