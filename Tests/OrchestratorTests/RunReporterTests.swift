import Foundation
import HostSystem
import Reporting
import RigModel
import RigTestSupport
import Testing
import Threading

@testable import Orchestrator

struct RunReporterTests {
    @Test(
        "A verdict outlives reports that cannot be written, and is green no more", arguments: [Verdict.valid, .invalid])
    func fullDiskCostsNoVerdict(_ verdict: Verdict) async throws {
        let root = try TemporaryFolder()
        let folder = try RunFolder(out: root.path, name: "s", startedAt: Date(), seed: 7)
        for name in ["junit.xml", "report.html"] { try SmallFile.makeFolder(folder.file(name)) }
        let history = try HistoryWriter(path: folder.file("history.jsonl"), startedAt: .now, fold: Blind())
        _ = try history.finish()
        var report = RunReport(
            scenario: "s", scenarioSummary: "", seed: 7, verdict: verdict, exitCode: verdict == .valid ? 0 : 1,
            notes: [], startedAt: "2026-11-21T22:00:00Z", durationSeconds: 9, environment: [], target: "", faults: [],
            invariants: [], workload: [], droppedOperations: 0, pool: [], recovery: [], replay: "")
        await RunReporter.write(&report, to: folder)
        #expect(report.verdict == verdict && report.exitCode == (verdict == .valid ? 5 : 1))
        #expect(
            report.unwritten
                == ["junit.xml", "report.html"].map { "cannot write \(folder.file($0)): Is a directory" })
        // What can be written says so.
        let stored = try JSONValue(parsing: #require(SmallFile.bytes(folder.file("report.json"))))
        #expect(stored["exit_code"]?.intValue == Int64(report.exitCode))
        #expect(stored["notes"]?.arrayValue?.count == 2)
    }
}

private struct Blind: EventFold {
    mutating func observe(_ event: Event) {}
}
