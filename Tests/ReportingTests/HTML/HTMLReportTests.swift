import Foundation
import RigModel
import Testing

@testable import Reporting

struct HTMLReportTests {
    private static let hostile = #"<script>alert(1)</script>"><img src=x onerror='x'>&"# + "\u{202E}\u{0}"

    private func page(_ report: RunReport, _ story: StoryWriter = StoryWriter(), scenario: String? = nil) -> String {
        var picture = RunPicture()
        var lanes = ConnectionLanes(LaneWindow.around(report.invariants))
        for event in story.events {
            picture.observe(event)
            lanes.observe(event)
        }
        lanes.finish()
        return HTMLReport.render(report: report, picture: picture, lanes: lanes, scenario: scenario)
    }

    @Test func aPieceEscapesEveryTextThatIsPutIn() {
        let piece: HTML = "<p title=\"\(Self.hostile)\">\(Self.hostile)</p>"
        #expect(!piece.source.contains("<script") && !piece.source.contains("<img") && !piece.source.contains("'"))
        #expect(piece.source.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&gt;"))
        #expect(piece.source.contains("&amp;\u{FFFD}\u{FFFD}"))
        let nested: HTML = "<b>\(piece)</b>"
        #expect(nested.source == "<b>\(piece.source)</b>")
    }

    @Test func nothingOfTheHistoryBecomesMarkup() {
        let bad = Self.hostile
        var report = sampleReport()
        report.scenario = bad
        report.scenarioSummary = bad
        report.notes = [bad]
        report.environment = [JSONValue.Member(bad, .array([.string(bad), [bad: .string(bad)]]))]
        report.target = bad
        report.replay = bad
        report.faults[0].kind = bad
        report.faults[0].detail = bad
        report.faults[1].evidence = .string(bad)
        report.invariants[0].name = bad
        report.invariants[0].summary = bad
        report.invariants[0].measured = [bad: .string(bad)]
        report.invariants[0].findings = [
            Finding(title: bad, expected: bad, seen: bad, events: [1], time: 1_000_000_000, activeFault: bad, site: bad)
        ]
        report.workload[0].kind = bad
        report.workload[0].failures = [(bad, 3)]
        report.recovery[0].fault = "\(bad) #0"
        var story = StoryWriter()
        story.say(0, .phase(bad))
        story.say(0.1, .pool, "connection-opened", ["conn": 1, "pid": 7, "took_ns": 1])
        story.say(0.2, .inject(fault: 0, kind: bad, detail: bad))
        story.operation(
            .fail, bad, from: 0.6, to: 0.8, error: .init(phase: .query, failureClass: bad, code: bad, message: bad))
        story.say(0.9, .heal(fault: 0, kind: bad, ok: true, forced: false, facts: .null))
        story.say(0.9, .pool, "leaked", ["conn": 1, "pid": 7, "site": .string(bad)])
        story.say(0.9, .probe, "stall", ["late_ns": 300_000_000, "of": .string(bad)])
        story.operation(.ok, bad, from: 1, to: 1.1)
        let text = page(report, story, scenario: bad)
        #expect(text.components(separatedBy: "<script").count == 2, "one script, the page's own")
        #expect(!text.contains("<img") && !text.contains("onerror='"))
        #expect(!text.contains("\u{202E}") && !text.contains("\u{0}"))
        #expect(text.components(separatedBy: "&lt;script&gt;").count > 20)
    }

    @Test func aPageNeedsNothingElse() {
        let text = page(sampleReport())
        for word in ["src=", "<link", "@import", "url(", "fetch(", "http://", "https://"] {
            let parts = text.components(separatedBy: word)
            // The name of the SVG language is no address.
            #expect(parts.count == (word == "http://" ? 2 : 1), "\(word)")
        }
        #expect(text.contains("http://www.w3.org/2000/svg"))
        #expect(text.contains("default-src 'none'"))
    }

    @Test func verdictFindingsAndNumbersAreThere() {
        let text = page(sampleReport())
        for word in [
            "db-restart", "INVALID".lowercased(), "1 of 3 invariants violated, 1 could not be judged.",
            "Connection 3 was borrowed and never given back", "held for 12 s", "Sources/App/Pay.swift:12", "10.5 s",
            "117", "99.1 ms", "57P01 session-ended", "restart immediate, down for 2 s", "no chunk was delayed",
            "310 ms",
            "not judged: no connection was ever acquired", "chaosrig replay runs/db-restart", "7 scheduled operations",
            "17.5",
        ] {
            let isThere = text.contains(word)
            #expect(isThere, "\(word)")
        }
        // Findings stand before the plots, and the plots before the tables.
        let order = [
            "id=\"findings\"", "id=\"timeline\"", "id=\"recovery\"", "id=\"invariants\"", "id=\"faults\"", "id=\"run\"",
        ]
        let places = order.compactMap { text.range(of: $0)?.lowerBound }
        #expect(places.count == order.count && places == places.sorted())
    }

    @Test func whatTheRunTookIsThere() {
        var report = sampleReport()
        report.resources = [JSONValue.Member("rss_peak_mib", 51.25)]
        let text = page(report)
        #expect(text.contains("<dt>rss_peak_mib</dt><dd>51.25</dd>"))
    }

    @Test func faultsHaveTheNumbersOfTheirInjections() {
        var report = sampleReport()
        report.faults[0].number = 4
        report.faults[1].number = nil
        let text = page(report)
        #expect(
            text.contains("<th scope=\"row\">restart #4</th>") && text.contains("<th scope=\"row\">slow-network</th>"))
    }

    @Test func validRunThatLeftSomethingBehindDoesNotLookGreen() {
        var report = sampleReport()
        report.verdict = .valid
        report.exitCode = 5
        report.invariants = [report.invariants[1], report.invariants[1]]
        let text = page(report)
        #expect(text.contains("All 2 invariants hold, but something was left behind: exit code 5."))
        #expect(text.contains("</h1><span class=\"badge unknown\"><span aria-hidden=\"true\">?</span> valid</span>"))
        report.exitCode = 0
        #expect(page(report).contains("</h1><span class=\"badge valid\">"))
    }

    @Test func firstSuccessAtWorstIsNeverWhereOneFaultSawNone() {
        var report = sampleReport()
        report.recovery.append(report.recovery[0])
        #expect(page(report).contains("at worst; first ok 310 ms<"))
        report.recovery[1].firstOkSeconds = nil
        #expect(page(report).contains("at worst; first ok never<"))
    }

    @Test("The tile tells the last of what came back, not throughput alone")
    func tileTellsTheSlowest() {
        var report = sampleReport()
        report.recovery[0].baselineThroughputSeconds = 0
        report.recovery[0].firstOkSeconds = 0
        let text = page(report)
        #expect(text.contains("<dd>520 ms<small>until the pool was back, at worst; first ok at once</small>"))
    }

    @Test func fewFaultsAreReachedByTheKeyboardAndManyAreNot() {
        for (count, stops) in [(30, 30), (31, 0)] {
            var story = StoryWriter()
            for n in 0..<count { story.fault(n, from: Double(n), to: Double(n) + 0.5) }
            #expect(page(sampleReport(), story).matches(of: /<g tabindex="0"/).count == stops, "\(count) faults")
        }
    }

    /// The numbers of faults behind or before their marks, as shares of the width with what a number takes.
    @Test func numbersOfFaultsLieWithinThePageAndNotOnEachOther() {
        let spans: [(Double, Double)] = [(0, 50), (1, 2), (46, 48), (56, 60), (80, 99), (97, 99.5)]
        var ends = StoryWriter()
        for (number, span) in spans.enumerated() {
            ends.say(span.0, .inject(fault: number, kind: "restart", detail: ""))
            ends.say(span.1, .heal(fault: number, kind: "restart", ok: true, forced: false, facts: .null))
        }
        ends.say(100, .phase("end"))
        let text = page(sampleReport(), ends)
        let row = text.split(separator: "row slim kind").last?.split(separator: "class=\"sticky\"").first ?? ""
        let labels = row.matches(of: /x="([0-9.]+)%" dx="-?4" y="13"( text-anchor="end")?>#([0-9])</).map { match in
            let x = Double(match.1) ?? -1
            return (number: String(match.3), span: match.2 == nil ? x...x + 3.5 : x - 3.5...x)
        }
        #expect(labels.map(\.number) == ["0", "3", "4"])
        for (index, label) in labels.enumerated() {
            #expect(label.span.lowerBound >= 0 && label.span.upperBound <= 100, "\(label)")
            for other in labels[..<index] { #expect(!label.span.overlaps(other.span), "\(label) on \(other)") }
        }
    }

    @Test func lastStepOfTheTableThatIsNextToNothingHasNoRate() {
        var story = StoryWriter()
        for n in 0..<100 { story.operation(from: Double(n) * 0.02, to: Double(n) * 0.02 + 0.01) }
        story.operation(from: 1.99, to: 2.000000001)
        story.say(2.000000001, .phase("end"))
        let table =
            page(sampleReport(), story).split(separator: "The same as a table").last?.split(separator: "</table>").first
            ?? ""
        let rates = table.matches(of: /<tr><th scope="row">[^<]*<\/th><td class="n">([^<]*)<\/td>/).map { String($0.1) }
        #expect(rates.last == "-" && rates.dropLast().allSatisfy { (Double($0) ?? 1e9) < 100 }, "\(rates)")
    }

    @Test func whatATableLeavesOutIsCounted() {
        var story = StoryWriter()
        for n in 0..<9 { story.fault(n, from: 1, to: 2) }
        story.operation(from: 1.5, to: 1.6)
        var report = sampleReport()
        report.workload[0].failures = (0..<15).map { ("class \($0)", 100 - $0) }
        let text = page(report, story)
        #expect(text.contains("#0 #1 #2 #3 #4 #5 and 3 more<"))
        #expect(text.contains("and 3 more, in report.json</td><td class=\"n\">261<"))
    }

    @Test func processIDsAndPortsHaveNoCommas() {
        var report = sampleReport()
        report.faults[0].evidence = ["pid": 31_234, "port": 54_321, "bytes": 1_234_567]
        let text = page(report)
        #expect(text.contains(">31234<") && text.contains(">54321<") && text.contains(">1,234,567<"))
    }

    @Test func aRunWithoutAnythingHasSensibleWords() {
        var report = sampleReport()
        report.faults = []
        report.invariants = []
        report.workload = []
        report.recovery = []
        report.notes = []
        report.verdict = .unknown
        let text = page(report)
        for word in [
            "Nothing was found.", "No fault was injected.", "The scenario names no invariant.",
            "No operation was tried.",
            "no fault was injected",
        ] {
            let isThere = text.contains(word)
            #expect(isThere, "\(word)")
        }
        #expect(!text.contains("id=\"connections\"") && !text.contains("id=\"recovery\"") && !text.contains("nan"))
    }

    @Test func numbersBeyondAllReasonDoNotTrap() throws {
        var story = StoryWriter()
        story.say(
            0, .pool, "configured", ["max_open": .int(.max), "instances": .int(.max), "acquire_timeout_ns": .int(.min)])
        story.say(
            0, .pool, "gauges",
            ["open": .double(.infinity), "idle": .double(-1e300), "in_use": .int(.min), "waiting": .int(.max)])
        story.say(0, .probe, "sample", ["server_sessions": .double(1e300), "rss_bytes": .int(.max)])
        story.say(0, .probe, "stall", ["late_ns": .int(.min)])
        story.say(0, .pool, "connection-opened", ["conn": .int(.max), "pid": .int(.min), "took_ns": .int(.min)])
        story.say(0, .inject(fault: .max, kind: "x", detail: ""))
        story.say(1, .worker(1), "append", kind: .invoke)
        story.say(
            Double(Event.timeLimit) / 1e9 - 1000, .worker(1), "append", kind: .ok,
            Completion(
                connection: .min, acquireNanoseconds: Event.timeLimit, lagNanoseconds: Event.timeLimit,
                leasedAt: Event.timeLimit, returnedAt: 0))
        var report = sampleReport()
        report.durationSeconds = 1e300
        report.faults[0].injectedAtSeconds = 1e300
        report.faults[0].healedAtSeconds = -1e300
        report.recovery[0].fault = "x #\(Int.max)"
        report.recovery[0].baselineThroughputSeconds = 1e300
        report.invariants[0].findings[0].time = .max
        report.invariants[0].findings.append(report.invariants[0].findings[0])
        report.invariants[0].findings[1].time = Event.timeLimit
        let text = page(report, story)
        #expect(text.utf8.count < 1_000_000, "\(text.utf8.count)")
        #expect(!text.contains("nan%") && !text.contains("inf%"))
    }

    @Test func aThousandFaultsStaySmall() {
        var story = StoryWriter()
        for n in 0..<1000 {
            story.fault(n, from: Double(n), to: Double(n) + 0.7)
            story.operation(from: Double(n) + 0.8, to: Double(n) + 0.9)
        }
        var report = sampleReport()
        let list = JSONValue.array((0..<10_000).map { JSONValue("session \($0)") })
        report.faults = (0..<1000).map {
            FaultRecord(
                kind: "restart", detail: "down", injectedAtSeconds: Double($0), healedAtSeconds: Double($0) + 0.7,
                landed: true, evidence: ["sessions": list])
        }
        let text = page(report, story)
        #expect(text.utf8.count < 3_000_000, "\(text.utf8.count)")
        #expect(text.contains("and 600 more, in report.json"))
    }

    @Test func everyIDIsThereOnceAndEveryLinkLeadsToOne() {
        var story = StoryWriter()
        story.say(0, .pool, "connection-opened", ["conn": 3, "pid": 7, "took_ns": 1])
        story.operation(.ok, "leak", from: 10, to: 10.1, connection: 3, returned: false)
        story.fault(0, from: 11, to: 12)
        let text = page(sampleReport(), story)
        let ids = text.matches(of: /\ id="([^"]+)"/).map { String($0.1) }
        #expect(ids.count == Set(ids).count)
        let links = text.matches(of: /href="#([^"]+)"/).map { String($0.1) }
        #expect(links.contains("window-1") && links.contains("finding-1"))
        for link in links { #expect(ids.contains(link), "\(link)") }
        for label in text.matches(of: /aria-labelledby="([^"]+)"/) { #expect(ids.contains(String(label.1))) }
    }
}
