import RigModel
import Testing

/// The shipped scenarios, shortened, on the real servers: what must be green is green, and each invariant can fail.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct ShippedScenarioSuite {
    /// Scenario, and what makes its fault fit into the shorter phases.
    private static let shortened: [(scenario: String, changes: [String])] = [
        ("db-restart", ["faults.0.at=1s", "faults.0.restart.down-for=1s"]),
        ("kill-connections", ["faults.0.every=2s", "faults.0.times=2"]),
        ("latency", ["faults.0.for=2s"]),
        ("max-lifetime", ["faults.0.for=2s"]),
        ("quickstart-sqlite", []),
    ]

    @Test("A shipped scenario is valid, and every fault landed", arguments: shortened.map(\.scenario))
    func shippedScenarioIsValid(_ scenario: String) async throws {
        let changes = try #require(Self.shortened.first { $0.scenario == scenario }).changes
        let result = try await Rig.run(scenario, set: Rig.patient + changes)
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let report = try #require(result.report)
        #expect(report["schema"] == "chaosrig.report/1")
        #expect(report["verdict"] == "valid")
        let faults = try #require(report["faults"]?.arrayValue)
        #expect(!faults.isEmpty && faults.allSatisfy { $0["landed"] == true && $0["evidence"] != .null })
        guard case .object(let operations)? = report["workload"] else { throw RigTestError("no workload") }
        #expect(operations.count == 3)
        for operation in operations { #expect((operation.value["ok"]?.intValue ?? 0) > 0, "\(operation.key)") }
        #expect(report["recovery"]?.arrayValue?.first?["first_ok_s"]?.doubleValue != nil)
        for file in ["history.jsonl", "journal.jsonl", "junit.xml", "report.json", "scenario.yaml"] {
            #expect(result.files.contains(file))
        }
    }

    @Test func recoveryThatIsTooSlowIsInvalid() async throws {
        let result = try await Rig.run(
            "db-restart",
            set: Rig.patient + ["faults.0.at=1s", "faults.0.restart.down-for=1s", "invariants.recovery.within=1us"])
        #expect(result.exitCode == 1, "\(result.output)\n\(result.errors)")
        #expect(result.report?.verdict(of: "recovery") == "invalid")
        #expect(
            result.report?.findings(of: "recovery").first?["active_fault"]?.stringValue?.contains("restart #0") == true)
    }

    @Test func serverThatStaysDownIsInvalid() async throws {
        let result = try await Rig.run(
            "db-restart", set: Rig.patient + ["faults.0.at=1s", "faults.0.restart.down-for=10m"])
        #expect(result.exitCode == 1, "\(result.output)\n\(result.errors)")
        #expect(result.report?.verdict(of: "recovery") == "invalid")
    }

    @Test func leakIsFoundWithTheLineThatBorrowed() async throws {
        let result = try await Rig.run(
            "db-restart",
            set: Rig.patient + ["faults.0.at=1s", "faults.0.restart.down-for=1s", "workload.mix.leak=1"])
        #expect(result.exitCode == 1, "\(result.output)\n\(result.errors)")
        let finding = try #require(result.report?.findings(of: "zero-leaked-connections").first)
        #expect(finding["site"]?.stringValue?.contains("LeakOperation.swift:") == true)
        #expect(finding["events"]?.arrayValue?.isEmpty == false)
    }

    @Test func blindRetriesAreFound() async throws {
        let result = try await Rig.run(
            "kill-connections",
            set: Rig.patient + [
                "faults.0.every=1s", "faults.0.times=3", "pool.retry=blind", "workload.statement-time=60ms",
            ])
        #expect(result.exitCode == 1, "\(result.output)\n\(result.errors)")
        let finding = try #require(result.report?.findings(of: "retry-correctness").first)
        #expect(finding["active_fault"]?.stringValue?.contains("kill-connections") == true)
    }

    private static let harmless = [
        "kill-connections": "faults.0.kill-connections.count=0", "latency": "faults.0.latency.latency=0s",
        "max-lifetime": "faults.0.max-lifetime.max-age=1h",
    ]

    @Test("A fault that changes nothing makes the run inconclusive", arguments: harmless.keys.sorted())
    func faultThatCannotLandIsInconclusive(_ scenario: String) async throws {
        let change = try #require(Self.harmless[scenario])
        let changes = try #require(Self.shortened.first { $0.scenario == scenario }).changes
        let result = try await Rig.run(scenario, set: Rig.patient + changes + [change])
        #expect(result.exitCode == 4, "\(result.output)\n\(result.errors)")
        #expect(result.report?["verdict"] == "unknown")
        #expect(result.report?["faults"]?.arrayValue?.first?["landed"] == false)
    }
}

/// A report that lacks what a test needs.
struct RigTestError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
