import RigModel
import Testing

/// The shipped scenarios of the fault proxy, shortened, on a real server.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct ProxyScenarioSuite {
    /// Scenario, and what makes its faults fit into the shorter phases.
    static let shortened: [(scenario: String, changes: [String])] = [
        ("bandwidth", ["faults.0.for=2s"]),
        ("blackhole", ["faults.0.for=2s"]),
        ("error-injection", ["faults.0.for=1s", "faults.1.at=2500ms", "faults.1.for=1s"]),
        ("flaky-connect", ["faults.0.for=2s"]),
        ("half-open", ["faults.0.for=2s"]),
        ("latency-proxy", ["faults.0.for=2s"]),
        ("lost-commit", ["faults.0.for=2s"]),
        // At fewer operations a second all connections may be idle when they are reset, and nothing fails.
        ("reset", ["faults.0.times=2", "workload.rate=200/s"]),
    ]

    @Test("A shipped scenario is valid, and every fault landed", arguments: shortened.map(\.scenario))
    func shippedScenarioIsValid(_ scenario: String) async throws {
        let changes = try #require(Self.shortened.first { $0.scenario == scenario }).changes
        try await ShippedScenarioSuite.expectValid(scenario, changes)
    }

    @Test("Every lost COMMIT was hit at its answer, and the report says how each ended")
    func lostCommitsAreResolved() async throws {
        let result = try await Rig.run(
            "lost-commit", set: Rig.patient + ["faults.0.for=3s", "faults.0.cut.times=5"])
        #expect(result.exitCode == 0, "\(result.output)\n\(result.errors)")
        let invariants = try #require(result.report?["invariants"]?.arrayValue)
        let judged = try #require(invariants.first { $0["name"] == "retry-correctness" })
        let doubts = try #require(judged["measured"]?["commits_in_doubt"])
        // The answer of a COMMIT that was cut: the server had done it.
        #expect(doubts["committed"] == 5)
        #expect(doubts["aborted"] == 0)
        #expect(doubts["unknown"] == 0)
        #expect(judged["summary"]?.stringValue?.contains("5 COMMITs without an answer") == true)
    }

    @Test("A pool that blindly repeats a lost COMMIT writes twice, and the run shows it")
    func blindRetriesOfLostCommitsAreFound() async throws {
        let result = try await Rig.run(
            "lost-commit",
            set: Rig.patient + ["faults.0.for=2s", "pool.retry=blind", "pool.commit-doubt=report"])
        #expect(result.exitCode == 1, "\(result.output)\n\(result.errors)")
        let findings = try #require(result.report?.findings(of: "retry-correctness"))
        let doubled = try #require(findings.first { $0["title"]?.stringValue?.hasPrefix("An append is there") == true })
        #expect(doubled["active_fault"]?.stringValue?.contains("lost-commit") == true)
        #expect(doubled["events"]?.arrayValue?.isEmpty == false)
    }
}
