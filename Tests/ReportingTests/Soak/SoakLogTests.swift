import Foundation
import RigModel
import Testing

@testable import Reporting

struct SoakLogTests {
    private var log: SoakLog {
        var log = SoakSample.log([
            SoakSample.window(1),
            SoakSample.window(2, segment: 2, verdict: .invalid, invariants: [("leaks", .invalid)]) { window in
                window.findings = [
                    SoakWindow.Found(
                        invariant: "leaks", title: "Connection 3 | was <b>lost</b>", activeFault: "restart #1",
                        site: "Append.swift:12")
                ]
                window.findingCount = 31
                window.notes = ["odd"]
                window.slowestRecoverySeconds = 1.5
                window.historyBytes = 9_000_000
                window.keptBytes = 800_000
                window.pageBytes = 3_000_000
                window.reportBytes = 40_000
                window.numbers.serverSessions = nil
            },
        ])
        log.notes = ["window 2 was cut by the end of the rig, and run again"]
        log.leftovers = ["a rule"]
        log.signal = 15
        log.lostWindows = 4
        log.gaveUp = SoakLog.GaveUp(reason: "no server", exitCode: 3)
        return log
    }

    @Test func whatIsWrittenIsReadBack() throws {
        let read = try #require(SoakLog(try JSONValue(parsing: log.json.prettyText)))
        #expect(read == log)
        #expect(read.nextWindow == 3 && read.nextSegment == 3 && read.keptBytes == 800_000)
    }

    @Test func planAndVerdictOfASoakThatGoesOn() {
        var going = log
        going.plannedSeconds = 8 * 3600
        going.elapsedSeconds = 3 * 3600
        #expect(!going.isCutShort(by: nil) && !going.isCutShort(by: 4 * 3600) && going.isCutShort(by: 3600))
        going.goOn(for: nil)
        #expect(going.plannedSeconds == 8 * 3600 && going.signal == nil && going.gaveUp == nil)
        // What was left behind was healed, or the soak would not begin; it is told, and no longer the exit code.
        #expect(going.leftovers.isEmpty && going.notes.last?.hasSuffix(": a rule") == true)
        #expect(SoakVerdict(going).exitCode == 1)
        going.goOn(for: 4 * 3600)
        #expect(going.leftSeconds == 3600)
    }

    @Test func endOfASoakWithoutTimeLeftStaysAsItWas() {
        var over = SoakSample.log((1...60).map { SoakSample.window($0) })
        over.gaveUp = SoakLog.GaveUp(reason: "no server", exitCode: 3)
        over.signal = 15
        over.plannedSeconds = 3000
        over.goOn(for: nil)
        #expect(over.gaveUp != nil && over.signal == 15)
        // Cut in the last moment: the same time once more is no shorter time.
        #expect(!over.isCutShort(by: 3000))
    }

    @Test func anotherBuildServerOrMachineIsTold() {
        var resumed = log
        resumed.environment = [.init("commit", "abc1234"), .init("server", "PostgreSQL 15.18"), .init("stage", "x")]
        let changes = resumed.changes(in: [
            .init("commit", "def5678"), .init("server", "PostgreSQL 15.18"), .init("stage", "y"), .init("cores", 4),
        ])
        #expect(changes == ["commit def5678, before abc1234"])
    }

    @Test("Of what nobody knows nothing is told")
    func unknownCommitIsLeftOut() {
        var log = SoakSample.log([SoakSample.window(1)])
        log.environment = [.init("commit", .null), .init("cores", 4)]
        let (page, xml) = (SoakPage.render(log), JUnit.encode([SoakReport.make(log)]))
        #expect(page.contains("<dt>cores</dt>") && !page.contains("<dt>commit</dt>"))
        #expect(xml.contains("name=\"cores\"") && !xml.contains("name=\"commit\""))
    }

    @Test func whatIsNoLogIsRefused() {
        #expect(SoakLog(["schema": "chaosrig.report/1"]) == nil)
        guard case .object(var members) = log.json else { return }
        members.removeAll { $0.key == "windows" }
        members.append(.init("windows", [["number": 1]]))
        #expect(SoakLog(.object(members)) == nil)
    }

    @Test func markdownShowsWhatBrokeAndLetsNothingBecomeMarkup() {
        let text = SoakMarkdown.render(log)
        #expect(text.hasPrefix("# Soak night: invalid\n"))
        #expect(text.contains("leaks is violated in window 2"))
        #expect(text.contains("Connection 3 \\| was \\<b\\>lost\\</b\\>"))
        #expect(text.contains("| restart | 2 | 2 |"))
    }

    @Test func longNightIsShownShort() {
        let windows = (1...500).map { SoakSample.window($0, verdict: $0 == 9 ? .unknown : .valid) }
        let text = SoakMarkdown.render(SoakSample.log(windows))
        #expect(
            text.contains("| 9 | unknown |") && text.contains("| 500 | valid |") && !text.contains("| 10 | valid |"))
        #expect(text.contains("479 windows are left out here"))
    }

    @Test("More odd windows than are listed are not called valid")
    func leftOutWindowsAreCounted() {
        let windows = (1...100).map { SoakSample.window($0, verdict: $0 < 61 ? .unknown : .valid) }
        #expect(SoakMarkdown.render(SoakSample.log(windows)).contains("60 windows, 40 of them not valid, are left out"))
    }

    @Test("Why a window is not valid is told everywhere, with its number")
    func notesOfWindowsAreTold() {
        let windows = (1...12).map { number in
            SoakSample.window(number, verdict: number == 4 ? .unknown : .valid) {
                $0.notes = [number == 4 ? "freeze #2 did <not> land" : "all is well"]
            }
        }
        let log = SoakSample.log(windows)
        #expect(SoakMarkdown.render(log).contains("window 4: freeze #2 did \\<not\\> land"))
        #expect(SoakPage.render(log).contains("Window 4: freeze #2 did &lt;not&gt; land"))
        let summary = SoakSummary.render(log, reportPath: "x", width: 100, color: false)
        #expect(summary.contains("window 4: freeze #2 did <not> land"))
        for page in [SoakMarkdown.render(log), SoakPage.render(log), summary] { #expect(!page.contains("all is well")) }
    }

    @Test func pageLinksOnlyToPagesThatAreThere() {
        var gone = log
        let link = "<a href=\"windows/0002/report.html\">2</a>"
        #expect(SoakPage.render(gone).components(separatedBy: link).count == 3)
        gone.windows[1].pageBytes = 0
        #expect(!SoakPage.render(gone).contains("report.html"))
    }

    @Test func summaryNamesVerdictFindingAndReplay() {
        let text = SoakSummary.render(log, reportPath: "runs/x/report.md", width: 100, color: false)
        #expect(text.hasPrefix("✗ INVALID"))
        for words in ["Connection 3", "borrowed at Append.swift:12", "restart 2/2", "runs/x/report.md", "--seed 7"] {
            #expect(text.contains(words), "\(words)")
        }
    }

    @Test func reportOfTheWholeKeepsEveryInvariant() throws {
        let report = SoakReport.make(log)
        #expect(report.scenario == "night (soak)" && report.exitCode == 5)
        let leaks = try #require(report.invariants.first)
        #expect(leaks.summary == "valid in 1 of 2 windows; violated in window 2")
        #expect(leaks.findings.first?.seen == "in window 2, seed \(2 << 40)")
        #expect(JUnit.encode([report]).contains("failures=\"1\""))
    }

    @Test("Drift of a short soak is not judged, which is told everywhere and counts for nothing")
    func shortSoakHasNoDriftToJudge() throws {
        let short = SoakSample.log((1...8).map { SoakSample.window($0) })
        let report = SoakReport.make(short)
        let item = try #require(report.invariants.last)
        #expect(item.verdict == .unknown && item.summary == "too few windows in a row for a slope (8; it takes 9)")
        #expect(report.verdict == .valid && report.exitCode == 0)
        let xml = JUnit.encode([report])
        #expect(xml.contains("errors=\"0\" skipped=\"1\"") && xml.contains("<skipped message=\"too few windows"))
        #expect(SoakPage.render(short).contains("<dt>drift</dt><dd>not judged<small>too few windows in a row</small>"))
        #expect(SoakMarkdown.render(short).contains("| no-drift | unknown | too few windows"))
        let long = SoakSample.log((1...9).map { SoakSample.window($0) })
        #expect(SoakReport.make(long).invariants.last?.verdict == .valid)
        #expect(SoakPage.render(long).contains("<dt>drift</dt><dd>none<small>"))
    }
}
