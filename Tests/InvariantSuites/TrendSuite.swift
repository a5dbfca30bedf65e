import Foundation
import HostSystem
import RigModel
import Testing
import Threading

/// The trend over stored runs, on the real program. The fixture holds reports of real runs of a restart under load, without their
/// evidence and measurements: thirty of one build, and one of a build whose pool waits seconds too long between two connects.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct TrendSuite {
    private let out = FileManager.default.temporaryDirectory.appendingPathComponent("rig-trend-\(UUID().uuidString)")

    /// Puts the reports where runs would have left them; in the place of one of them the slow one.
    private func store(slowAt place: Int?) throws {
        let fixture = "\(Rig.root)/Tests/Fixtures/trend/short-restart"
        let lines = try String(contentsOfFile: "\(fixture).jsonl", encoding: .utf8).split(separator: "\n")
        let slow = try JSONValue(parsing: String(contentsOfFile: "\(fixture)-slow.json", encoding: .utf8))
        #expect(lines.count == 30)
        for (position, line) in lines.enumerated() {
            var report = try JSONValue(parsing: String(line))
            if position == place { report = slow.replacing("started_at", report["started_at"] ?? .null) }
            let name = "\(position)-\(report["seed"]?.intValue ?? 0)"
            let folder = out.appendingPathComponent("short-restart/\(name)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data(report.prettyText.utf8).write(to: folder.appendingPathComponent("report.json"))
            try Data("name: short-restart\n".utf8).write(to: folder.appendingPathComponent("scenario.yaml"))
        }
    }

    private func trend(_ options: String...) async throws -> Rig.Result {
        try await Rig.command(["report", "--trend", "--out", out.path] + options)
    }

    @Test("Thirty real runs: no drift")
    func realRunsAreQuiet() async throws {
        defer { try? FileManager.default.removeItem(at: out) }
        try store(slowAt: nil)
        let result = try await trend("--refile", "--json")
        #expect(result.exitCode == 0, "\(result.output.prefix(2000)) \(result.errors)")
        let value = try JSONValue(parsing: result.output)
        #expect(value["drift"] == false)
        #expect(value["scenarios"]?.arrayValue?.first?["judged"] == true)
        // Filed again, nothing is there twice.
        let again = try JSONValue(parsing: try await trend("--refile", "--json").output)
        #expect(again["scenarios"]?.arrayValue?.first?["runs"]?.arrayValue?.count == 30)
    }

    @Test("One of them with a slow recovery: flagged, wherever it is", arguments: [4, 15, 29])
    func slowRecoveryIsFlagged(place: Int) async throws {
        defer { try? FileManager.default.removeItem(at: out) }
        try store(slowAt: place)
        let page = out.appendingPathComponent("trend.html").path
        let result = try await trend("--refile", "--json", "--html", page)
        #expect(result.exitCode == 1, "\(result.errors)")
        let value = try JSONValue(parsing: result.output)
        let scenario = try #require(value["scenarios"]?.arrayValue?.first)
        let drift = scenario["drift"]?.arrayValue ?? []
        let slow = scenario["runs"]?.arrayValue?[place]["id"]
        #expect(
            drift.contains { $0["metric"]?.stringValue?.hasPrefix("recovery.restart.") == true && $0["run"] == slow })
        #expect(drift.allSatisfy { $0["run"] == slow }, "\(drift)")
        #expect(value["drift_now"]?.boolValue == (place == 29))
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("class=\"flag\""))
        #expect(try await trend("--html", "-").output.hasPrefix("<!doctype html>"))
        #expect(try await trend("--html", "-", "--json").exitCode == 2)
        #expect(try await trend("--markdown").output.contains("🔺"))
        #expect(try await trend("--newest").exitCode == (place == 29 ? 1 : 0))
    }

    @Test("A run is filed and can be compared; a damaged database costs the run nothing")
    func runsAreFiled() async throws {
        defer { try? FileManager.default.removeItem(at: out) }
        func run() async throws -> Rig.Result {
            try await Rig.command([
                "run", "faults/quickstart-sqlite.yaml", "--out", out.path, "--quiet", "--set",
                "phases={warm-up: 200ms, steady: 1s, faults: 4s, settle: 3s}",
            ])
        }
        let first = try await run()
        #expect(!first.errors.contains("not filed"), "\(first.errors)")
        _ = try await run()
        let comparison = try await Rig.command(["compare", "latest~1", "latest", "--out", out.path, "--json"])
        #expect(comparison.exitCode == 0, "\(comparison.errors)")
        let value = try JSONValue(parsing: comparison.output)
        // How busy the machine is nobody here decides.
        let warnings = value["warnings"]?.arrayValue?.compactMap(\.stringValue) ?? ["none told"]
        #expect(warnings.allSatisfy { $0.hasPrefix("the machine was busier") }, "\(warnings)")
        #expect(value["a"]?["id"] == 1 && value["b"]?["id"] == 2)
        #expect(value["numbers"]?.arrayValue?.isEmpty == false)

        let database = out.appendingPathComponent("results.db")
        try Data("not a database at all".utf8).write(to: database)
        let third = try await run()
        let report = try String(
            contentsOfFile: out.appendingPathComponent("quickstart-sqlite/latest/report.json").path, encoding: .utf8)
        #expect(try third.exitCode.map(Int64.init) == JSONValue(parsing: report)["exit_code"]?.intValue)
        #expect(third.errors.contains("not filed") && third.errors.contains("mv "), "\(third.errors)")
        #expect(try Data(contentsOf: database) == Data("not a database at all".utf8))
        #expect(try await trend().exitCode == 2)
        try FileManager.default.removeItem(at: database)
        let trend = try JSONValue(parsing: try await trend("--refile", "--json").output)
        #expect(trend["scenarios"]?.arrayValue?.first?["runs"]?.arrayValue?.count == 3)
    }

    @Test("A database without a run has no trend, and the exit code says so")
    func emptyDatabase() async throws {
        defer { try? FileManager.default.removeItem(at: out) }
        // Written by ResultsDatabase, without a run.
        try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
        let database = out.appendingPathComponent("results.db").path
        try FileManager.default.copyItem(atPath: "\(Rig.root)/Tests/Fixtures/trend/empty.db", toPath: database)
        for options in [[], ["--scenario", "short-restart"]] {
            let result = try await Rig.command(["report", "--trend", "--out", out.path] + options)
            #expect(
                result.exitCode == 2 && result.errors.contains("no run is filed in \(database)"), "\(result.errors)")
        }
    }

    private struct Refusal: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let words: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    private static let refusals = [
        Refusal(arguments: ["report"], words: "--trend"),
        Refusal(arguments: ["report", "--trend", "--last", "1"], words: "--last takes a whole number from 2 to 500"),
        Refusal(arguments: ["report", "--trend", "--out", "/nowhere"], words: "there is no /nowhere/results.db"),
        Refusal(arguments: ["compare", "1"], words: "name two runs"),
        Refusal(arguments: ["compare", "1", "2", "--out", "/nowhere"], words: "there is no /nowhere/results.db"),
        Refusal(arguments: ["compare", "faults", "faults"], words: "there is no report.json in it"),
    ]

    @Test("What cannot be read is refused with the way out", arguments: refusals)
    private func nothingToRead(_ row: Refusal) async throws {
        let result = try await Rig.command(row.arguments)
        #expect(result.exitCode == 2)
        #expect(result.errors.contains(row.words), "\(result.errors)")
    }
}

extension JSONValue {
    fileprivate func replacing(_ key: String, _ value: JSONValue) -> JSONValue {
        guard case .object(let members) = self else { return self }
        return .object(members.map { $0.key == key ? Member(key, value) : $0 })
    }
}
