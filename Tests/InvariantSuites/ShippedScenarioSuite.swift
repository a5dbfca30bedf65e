import RigModel
import Testing

/// The shipped scenarios, shortened, on the real servers: what must be green is green.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct ShippedScenarioSuite {
    /// Scenario, and what makes its fault fit into the shorter phases.
    static let shortened: [(scenario: String, changes: [String])] = [
        ("db-restart", ["faults.0.at=1s", "faults.0.restart.down-for=1s"]),
        ("kill-connections", ["faults.0.every=2s", "faults.0.times=2"]),
        ("latency", ["faults.0.for=2s"]),
        ("max-lifetime", ["faults.0.for=2s"]),
        ("quickstart-sqlite", []),
    ]

    @Test("A shipped scenario is valid, and every fault landed", arguments: shortened.map(\.scenario))
    func shippedScenarioIsValid(_ scenario: String) async throws {
        let changes = try #require(Self.shortened.first { $0.scenario == scenario }).changes
        try await Self.expectValid(scenario, changes)
    }

    /// Runs a scenario, which must be green, and must have done what it says.
    static func expectValid(_ scenario: String, _ changes: [String]) async throws {
        let result = try await Rig.run(scenario, set: Rig.patient + changes)
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let report = try #require(result.report)
        #expect(report["schema"] == "chaosrig.report/1")
        #expect(report["verdict"] == "valid")
        let faults = try #require(report["faults"]?.arrayValue)
        #expect(!faults.isEmpty && faults.allSatisfy { $0["landed"] == true && $0["evidence"] != .null })
        guard case .object(let operations)? = report["workload"] else { throw RigTestError("no workload") }
        #expect(operations.count >= 3)
        for operation in operations { #expect((operation.value["ok"]?.intValue ?? 0) > 0, "\(operation.key)") }
        #expect(report["recovery"]?.arrayValue?.first?["first_ok_s"]?.doubleValue != nil)
        for file in ["history.jsonl", "journal.jsonl", "junit.xml", "report.html", "report.json", "scenario.yaml"] {
            #expect(result.files.contains(file))
        }
    }
}

/// A report that lacks what a test needs.
struct RigTestError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
