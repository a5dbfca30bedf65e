import RigModel
import Testing

/// Each invariant can fail, and a run that proves nothing is not green.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct CounterexampleSuite {
    @Test func recoveryThatIsTooSlowIsInvalid() async throws {
        // Three times: where the rig gets the processor late, a pool may be back before the heal is noted.
        let result = try await Rig.run(
            "db-restart",
            set: Rig.patient + [
                "phases.faults=12s", "faults.0.at=1s", "faults.0.every=4s", "faults.0.times=3",
                "faults.0.restart.down-for=1s", "invariants.recovery.within=1us",
            ])
        #expect(result.exitCode == 1, "\(result.output)\n\(result.errors)")
        #expect(result.report?.verdict(of: "recovery") == "invalid")
        #expect(
            result.report?.findings(of: "recovery").first?["active_fault"]?.stringValue?.contains("restart #") == true)
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

    /// Without the invariants that miss the fault themselves.
    private static let harmless = [
        "kill-connections": ["faults.0.kill-connections.count=0"],
        "latency": ["faults.0.latency.latency=0s", "invariants.thresholds={errors: < 50%}"],
        "max-lifetime": ["faults.0.max-lifetime.max-age=1h"],
    ]

    @Test("A fault that changes nothing makes the run inconclusive", arguments: harmless.keys.sorted())
    func faultThatCannotLandIsInconclusive(_ scenario: String) async throws {
        let harmless = try #require(Self.harmless[scenario])
        let changes = try #require(ShippedScenarioSuite.shortened.first { $0.scenario == scenario }).changes
        let result = try await Rig.run(scenario, set: Rig.patient + changes + harmless)
        #expect(result.exitCode == 4, "\(result.output)\n\(result.errors)")
        #expect(result.report?["verdict"] == "unknown")
        #expect(result.report?["faults"]?.arrayValue?.first?["landed"] == false)
    }
}
