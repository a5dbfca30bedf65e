import Foundation
import HostSystem
import RigModel
import RigTestSupport
import Testing

/// The self-test in its short form, as it runs in CI: a dozen defects, each found by the invariant that must find it, and the
/// untouched pool green in the same runs.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct SelfTestSuite {
    @Test("Every defect of the short form is caught, and the untouched pool is green")
    func everyDefectIsCaught() async throws {
        let result = try await Rig.command(["selftest", "--short", "--json"], timeout: .seconds(900))
        let json = try JSONValue(parsing: result.output)
        let defects = try #require(json["defects"]?.arrayValue)
        #expect(defects.count >= 12)
        for defect in defects {
            #expect(
                defect["caught"] == true && defect["seconds"]?.doubleValue != nil, "\(defect.prettyText)")
        }
        let untouched = try #require(json["untouched"]?.arrayValue)
        for run in untouched { #expect(run["green"] == true, "\(run.prettyText)") }
        #expect(result.exitCode == 0, "\(result.errors)")
    }

    @Test(
        "One connection that is lost in ten thousand operations is named with its borrower and the fault of that time")
    func oneInTenThousandIsNamed() async throws {
        let name = "lease-forgotten-once-in-ten-thousand"
        let folder = try TemporaryFolder()
        let result = try await Rig.command(
            ["selftest", "--only", name, "--out", folder.path, "--json"], timeout: .seconds(400))
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let path = "\(folder.path)/\(name)/max-lifetime/latest/"
        let report = try JSONValue(parsing: try String(contentsOfFile: path + "report.json", encoding: .utf8))
        guard case .object(let kinds)? = report["workload"] else { throw RigTestError("no workload") }
        #expect(kinds.reduce(0) { $0 + ($1.value["ok"]?.intValue ?? 0) } >= 9_900)

        let leaks = report.findings(of: "zero-leaked-connections").filter { $0["site"]?.stringValue != nil }
        let leak = try #require(leaks.first, "\(report.prettyText)")
        #expect(leaks.count == 1)
        #expect(leak["active_fault"]?.stringValue?.hasPrefix("max-lifetime #0 (") == true, "\(leak.prettyText)")
        let site = try #require(leak["site"]?.stringValue)
        #expect(site.contains(/^Workloads\/(Append|Read|Transfer)Operation\.swift:[0-9]+$/))
        let seen = try #require(leak["seen"]?.stringValue)
        #expect(
            seen.contains(/; opened at .+; borrowed by `(append|read|transfer)` of worker [0-9]+, which ended in ok/))

        // The events are those of this borrower.
        let history = try String(contentsOfFile: path + "history.jsonl", encoding: .utf8).split(separator: "\n")
        let events = try (leak["events"]?.arrayValue ?? []).map { number in
            try JSONValue(parsing: String(history[Int(try #require(number.intValue))]))
        }
        let opened = try #require(events.first { $0["f"] == "connection-opened" })
        let borrowing = try #require(events.first { $0["type"] == "ok" })
        #expect(borrowing["conn"] == opened["value"]?["conn"], "\(borrowing.compactText)")
    }

    @Test("Where all is good no folder stays, not even an empty one")
    func nothingIsLeftWhereAllIsGood() async throws {
        let folder = try TemporaryFolder()
        let here = folder.file("here")
        try SmallFile.makeFolder(here)
        let result = try await runProgram(
            path: Rig.path,
            arguments: [
                "selftest", "--untouched", "1", "--only", "busy-told-as-done", "--scenarios", Rig.root + "/faults",
            ], workingDirectory: here, timeout: .seconds(180))
        #expect(result.exitCode == 0, "\(result.standardOutput)\(result.standardError)")
        #expect(SmallFile.names(in: here) == [])
    }

    @Test("What is no defect is missed, and the self-test fails")
    func noDefectIsMissed() async throws {
        let result = try await Rig.command(["selftest", "--only", "none", "--json"], timeout: .seconds(300))
        let json = try JSONValue(parsing: result.output)
        let only = try #require(json["defects"]?.arrayValue?.first)
        #expect(only["caught"] == false)
        // Nothing else is red either: what is put around the pool does no harm.
        #expect(only["red"] == [], "\(only.prettyText)")
        #expect(result.exitCode == 1)
    }
}
