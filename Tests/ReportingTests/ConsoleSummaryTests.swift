import Reporting
import RigModel
import Testing

private func render(_ report: RunReport = sampleReport(), width: Int = 100, color: Bool = false) -> String {
    ConsoleSummary.render(report, reportPath: "runs/db-restart/latest/report.html", width: width, color: color)
}

@Test func wholeSummaryReadsFromTheVerdictToTheReplayCommand() {
    #expect(
        render() == """
            ✗ INVALID db-restart, seed 42, 32.4 s, managed PostgreSQL, exit code 1

            Invariants
              ✗ zero-leaked-connections  1 lease not given back; 14 connections opened
              ✓ recovery                 back after 1 fault, at worst: first success 310 ms
              ? timeouts                 not judged: no connection was ever acquired

            Findings
              1. zero-leaked-connections: Connection 3 was borrowed and never given back
                 expected no lease is out
                 seen     held for 12 s
                 at       10.5 s
                 fault    restart #0 (immediate, down for 2 s)
                 site     Sources/App/Pay.swift:12
                 events   120, 133 of history.jsonl

            Faults
              ✓ restart immediate, down for 2 s: at 10 s, healed at 12.3 s, landed:
                {"refused":"57P03","outage_s":2.1}
              ✗ slow-network 100 ms each way: at 14 s, never healed, did not land: no chunk was delayed

            Workload
              kind      ok   fail   info       p50       p99      max
              append   100     12      3   50.1 ms   99.1 ms   100 ms
              leak       0      2      0         -         -        -
              append failed: 57P01 session-ended ×12, connection-lost ×3
              dropped: 7 scheduled operations were never started, because every client was busy

            Recovery (after the heal)
              fault        first ok   full pool   throughput   p95   lost
              restart #0     310 ms      520 ms       600 ms     -    103

            Notes
              ! The fault slow-network #1 did not land: no chunk was delayed.

            More
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

@Test func emptyReportIsShortAndSaysSo() {
    var report = sampleReport()
    report.verdict = .valid
    report.invariants = []
    report.faults = []
    report.workload = []
    report.recovery = []
    report.notes = []
    let text = ConsoleSummary.render(report, reportPath: nil, width: 80, color: false)
    #expect(
        text == """
            ✓ VALID db-restart, seed 42, 32.4 s, managed PostgreSQL, exit code 1

            Invariants
              none

            More
              replay chaosrig replay runs/db-restart/2026-11-21T01-02-03Z-42

            """)
}
