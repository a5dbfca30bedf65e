import Foundation
import FoundationXML
import Reporting
import RigModel
import Testing

/// What a reader of JUnit files sees.
private final class Seen: NSObject, XMLParserDelegate {
    struct Case: Equatable {
        var suite: String
        var className: String
        var name: String
        /// `failure`, `error` or `system-out`.
        var element = ""
        var message: String?
        var text = ""
    }

    var totals: [[String: String]] = []
    var properties: [String: String] = [:]
    var cases: [Case] = []
    private var suite = ""
    private var isInside = false

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        switch name {
        case "testsuites": totals.append(attributes)
        case "testsuite":
            suite = attributes["name"] ?? ""
            totals.append(attributes)
        case "property": properties[attributes["name"] ?? ""] = attributes["value"]
        case "testcase":
            cases.append(Case(suite: suite, className: attributes["classname"] ?? "", name: attributes["name"] ?? ""))
        case "failure", "error", "system-out":
            isInside = true
            cases[cases.count - 1].element = name
            cases[cases.count - 1].message = attributes["message"]
        default: break
        }
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
        if isInside { cases[cases.count - 1].text += text }
    }

    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
        isInside = false
    }

    static func parse(_ xml: String) throws -> Seen {
        let seen = Seen()
        let parser = XMLParser(data: Data(xml.utf8))
        parser.delegate = seen
        guard parser.parse() else { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
        return seen
    }
}

private func greenReport() -> RunReport {
    var report = sampleReport()
    report.verdict = .valid
    report.exitCode = 0
    report.notes = []
    report.invariants = [report.invariants[1]]
    report.faults = [report.faults[0]]
    report.workload = [report.workload[0]]
    return report
}

@Test func greenRunHasOnlyPassedCases() throws {
    let seen = try Seen.parse(JUnit.encode([greenReport()]))
    #expect(
        seen.cases.map(\.name) == [
            "recovery", "every fault landed", "every operation kind succeeded", "the run as a whole",
        ])
    #expect(seen.cases.allSatisfy { $0.element == "system-out" && $0.className == "chaosrig.db-restart" })
    for totals in seen.totals {
        #expect(totals["tests"] == "4" && totals["failures"] == "0" && totals["errors"] == "0")
        #expect(totals["time"] == "32.432")
    }
    #expect(seen.properties["seed"] == "42")
    #expect(seen.properties["postgres"] == "17.5")
    #expect(seen.properties["cores"] == "4")
}

@Test func violationIsAFailureWithItsFindingsAndDoubtIsAnError() throws {
    let seen = try Seen.parse(JUnit.encode([sampleReport()]))
    #expect(
        seen.cases.map(\.element) == ["failure", "system-out", "error", "error", "error", "system-out"])
    let failure = try #require(seen.cases.first)
    #expect(failure.message == "1 lease not given back; 14 connections opened")
    for fact in [
        "1. Connection 3 was borrowed and never given back", "expected: no lease is out", "seen: held for 12 s",
        "fault: restart #0 (immediate, down for 2 s)", "site: Sources/App/Pay.swift:12", "events: 120, 133",
    ] {
        #expect(failure.text.contains(fact))
    }
    #expect(seen.cases[2].message == "not judged: no connection was ever acquired")
    #expect(seen.cases[3].text.contains("slow-network #1 100 ms each way: no chunk was delayed"))
    #expect(seen.cases[4].text.contains("leak: 2 fail, 0 info"))
    #expect(seen.totals.map { $0["failures"] } == ["1", "1"])
    #expect(seen.totals.map { $0["errors"] } == ["3", "3"])
}

@Test func severalRunsAreSeveralSuites() throws {
    var other = greenReport()
    other.scenario = "slow"
    let seen = try Seen.parse(JUnit.encode([greenReport(), other]))
    #expect(seen.totals.map { $0["tests"] } == ["8", "4", "4"])
    #expect(Set(seen.cases.map(\.suite)) == ["db-restart", "slow"])
    #expect(try Seen.parse(JUnit.encode([])).totals.map { $0["tests"] } == ["0"])
}

/// A run that is not valid for a reason that no invariant knows must not look passed.
@Test func runThatIsUnknownForItsNotesAloneIsAnError() throws {
    var report = greenReport()
    report.verdict = .unknown
    report.exitCode = 4
    report.notes = ["2 faults should have been injected, but only 1 was."]
    let last = try #require(try Seen.parse(JUnit.encode([report])).cases.last)
    #expect(last.element == "error")
    #expect(last.message == "verdict unknown, exit code 4")
    #expect(last.text.contains("only 1 was"))
    // Valid, but something could not be healed.
    report.verdict = .valid
    report.exitCode = 5
    #expect(try Seen.parse(JUnit.encode([report])).cases.last?.element == "error")
}

/// Something was left behind, or the run was interrupted: a violated invariant says nothing of that.
@Test(arguments: [5, 130])
func exitCodeThatNoCaseExplainsIsAnError(_ code: Int) throws {
    var report = sampleReport()
    report.exitCode = code
    let last = try #require(try Seen.parse(JUnit.encode([report])).cases.last)
    #expect(last.element == "error" && last.message == "verdict invalid, exit code \(code)")
}

@Test func hostileTextStaysWellFormedAndIsReadBack() throws {
    let hostile =
        "</failure>]]><x a=\"1\" b='2'>&amp; &#0;\u{0}\u{1}\u{8}\u{B}\u{1B}[31m\u{7F}\u{9F}\u{FFFE}\u{FFFF}\t\r\n\u{1F600}"
    var report = sampleReport()
    report.scenario = hostile
    report.target = hostile
    report.notes = [hostile]
    report.startedAt = hostile
    report.environment = [JSONValue.Member(hostile, .string(hostile))]
    report.invariants[0].name = hostile
    report.invariants[0].summary = hostile
    report.invariants[0].findings[0].seen = hostile
    report.faults[1].evidence = .string(hostile)
    report.workload[1].kind = hostile
    let expected =
        "</failure>]]><x a=\"1\" b='2'>&amp; &#0;\\x0\\x1\\x8\\xb\\x1b[31m\\x7f\\x9f\\xfffe\\xffff\t\r\n\u{1F600}"
    let seen = try Seen.parse(JUnit.encode([report]))
    #expect(seen.cases.count == 6)
    #expect(seen.cases[0].suite == expected)
    #expect(seen.cases[0].name == expected)
    #expect(seen.cases[0].message == expected)
    #expect(seen.cases[0].text.contains("seen: \(expected)"))
    #expect(seen.properties[expected] == expected)
}

@Test func everyScalarOfTheLowPlanesIsEscapedOrAllowed() throws {
    var report = greenReport()
    var all = ""
    for value in UInt32(0)...0xFFFF { if let scalar = Unicode.Scalar(value) { all.unicodeScalars.append(scalar) } }
    report.notes = [all]
    report.target = all
    #expect(try Seen.parse(JUnit.encode([report])).cases.count == 4)
}
