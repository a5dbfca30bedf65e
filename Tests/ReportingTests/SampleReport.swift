import RigModel

/// A run in which a restart leaked a connection.
func sampleReport() -> RunReport {
    var latency = LatencyHistogram()
    for milliseconds in 1...100 { latency.add(nanoseconds: Int64(milliseconds) * 1_000_000) }
    return RunReport(
        scenario: "db-restart", scenarioSummary: "The server is stopped the hard way.", seed: 42, verdict: .invalid,
        exitCode: 1, notes: ["The fault slow-network #1 did not land: no chunk was delayed."],
        startedAt: "2026-11-21T01:02:03Z", durationSeconds: 32.4321,
        environment: [JSONValue.Member("postgres", "17.5"), JSONValue.Member("cores", 4)], target: "managed PostgreSQL",
        faults: [
            FaultRecord(
                number: 0, kind: "restart", detail: "restart immediate, down for 2 s", injectedAtSeconds: 10.00012345,
                healedAtSeconds: 12.25, landed: true, evidence: ["refused": "57P03", "outage_s": 2.1]),
            FaultRecord(
                number: 1, kind: "slow-network", detail: "100 ms each way", injectedAtSeconds: 14, healedAtSeconds: nil,
                landed: false, evidence: "no chunk was delayed"),
        ],
        invariants: [
            InvariantResult(
                name: "zero-leaked-connections", verdict: .invalid,
                summary: "1 lease not given back; 14 connections opened",
                findings: [
                    Finding(
                        title: "Connection 3 was borrowed and never given back", expected: "no lease is out",
                        seen: "held for 12 s", events: [120, 133], time: 10_500_000_000,
                        activeFault: "restart #0 (immediate, down for 2 s)", site: "Sources/App/Pay.swift:12")
                ], measured: ["opened": 14]),
            InvariantResult(
                name: "recovery", verdict: .valid, summary: "back after 1 fault, at worst: first success 310 ms"),
            InvariantResult(
                name: "timeouts", verdict: .unknown, summary: "not judged: no connection was ever acquired"),
        ],
        workload: [
            OperationSummary(
                kind: "append", ok: 100, fail: 12, info: 3, latency: latency,
                failures: [("57P01 session-ended", 12), ("connection-lost", 3)]),
            OperationSummary(kind: "leak", ok: 0, fail: 2, info: 0, latency: LatencyHistogram(), failures: []),
        ],
        droppedOperations: 7, pool: [JSONValue.Member("openConnections", 10)],
        recovery: [
            RecoveryRecord(
                fault: "restart #0", firstOkSeconds: 0.31, fullPoolSeconds: 0.52, baselineThroughputSeconds: 0.6,
                baselineP95Seconds: nil, lostOperations: 103)
        ], replay: "chaosrig replay runs/db-restart/2026-11-21T01-02-03Z-42")
}
