import Foundation
import Reporting
import RigModel
import Testing

struct ReportReadingTests {
    @Test func whatWasWrittenIsReadBackButForTheLatencies() throws {
        var report = sampleReport()
        report.resources = [JSONValue.Member("rss_mib", 51)]
        let again = try ReportJSON.decode(ReportJSON.encode(report))
        for index in report.workload.indices { report.workload[index].latency = LatencyHistogram() }
        // Written to the microsecond.
        report.durationSeconds = 32.4321
        report.faults[0].injectedAtSeconds = 10.000123
        #expect(again == report)
        #expect(ReportJSON.encode(again)["invariants"] == ReportJSON.encode(report)["invariants"])
    }

    @Test("A report of the first chaosrig that wrote this schema is read")
    func oldReportIsRead() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Fixtures/reports/first.json")
        let report = try ReportJSON.decode(try JSONValue(parsing: try String(contentsOf: file, encoding: .utf8)))
        #expect(report.scenario == "db-restart" && report.seed == 7 && report.verdict == .invalid)
        #expect(report.scenarioSummary == "The server crashes.")
        #expect(report.faults.map(\.kind) == ["restart"] && report.recovery.map(\.lostOperations) == [12])
        #expect(report.invariants.first?.findings.first?.title == "a write was lost")
        #expect(report.resources.isEmpty)
    }

    @Test(
        "What came later than the first report may be missing", arguments: ["scenario_summary", "resources", "notes"])
    func laterFieldsAreOptional(_ key: String) throws {
        guard case .object(var members) = ReportJSON.encode(sampleReport()) else { return }
        members.removeAll { $0.key == key }
        #expect(try ReportJSON.decode(.object(members)).scenario == sampleReport().scenario)
    }

    @Test(
        arguments: [
            ("schema", JSONValue.string("chaosrig.report/9"), "its schema is"),
            ("verdict", "fine", "verdict: \"fine\""),
            ("seed", .null, "seed: a whole number"), ("duration_s", "long", "duration_s: a number"),
            ("faults", .array([["kind": 1]]), "faults[0].kind: a text"),
            ("recovery", .array([["fault": "x"]]), "recovery[0].lost_ops: a whole number"),
            ("workload", ["read": ["ok": 1]], "workload.read.fail: a whole number"),
        ] as [(String, JSONValue, String)])
    func whatIsWrongIsNamed(_ key: String, _ value: JSONValue, _ words: String) throws {
        guard case .object(var members) = ReportJSON.encode(sampleReport()) else { return }
        members = members.map { $0.key == key ? JSONValue.Member(key, value) : $0 }
        let error = #expect(throws: ReportJSONError.self) { try ReportJSON.decode(.object(members)) }
        #expect(error?.problem.contains(words) == true, "\(error?.problem ?? "")")
    }
}
