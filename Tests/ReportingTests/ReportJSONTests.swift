import Foundation
import Reporting
import RigModel
import Testing

@Test func reportHasTheFieldsOfItsSchemaInOrder() throws {
    let json = ReportJSON.encode(sampleReport())
    guard case .object(let members) = json else {
        Issue.record("not an object")
        return
    }
    #expect(
        members.map(\.key) == [
            "schema", "scenario", "scenario_summary", "seed", "verdict", "exit_code", "started_at", "duration_s",
            "environment", "target", "faults", "invariants", "workload", "dropped_operations", "pool", "recovery",
            "resources", "notes", "replay",
        ])
    #expect(json["schema"] == "chaosrig.report/1")
    #expect(json["seed"] == 42)
    #expect(json["verdict"] == "invalid")
    #expect(json["exit_code"] == 1)
    #expect(json["duration_s"] == 32.4321)
    #expect(json["environment"] == ["postgres": "17.5", "cores": 4])
    #expect(
        json["faults"]?.arrayValue?.first == [
            "number": 0, "kind": "restart", "detail": "restart immediate, down for 2 s", "injected_at_s": 10.000123,
            "healed_at_s": 12.25, "landed": true, "evidence": ["refused": "57P03", "outage_s": 2.1],
        ])
    #expect(json["faults"]?.arrayValue?.last?["healed_at_s"] == .null)
    #expect(
        json["invariants"]?.arrayValue?.first == [
            "name": "zero-leaked-connections", "verdict": "invalid",
            "summary": "1 lease not given back; 14 connections opened",
            "findings": [
                [
                    "title": "Connection 3 was borrowed and never given back", "expected": "no lease is out",
                    "seen": "held for 12 s", "at_s": 10.5, "active_fault": "restart #0 (immediate, down for 2 s)",
                    "site": "Sources/App/Pay.swift:12", "events": [120, 133],
                ]
            ],
            "measured": ["opened": 14],
        ])
    #expect(
        json["recovery"] == [
            [
                "fault": "restart #0", "first_ok_s": 0.31, "full_pool_s": 0.52, "baseline_throughput_s": 0.6,
                "baseline_p95_s": nil, "lost_ops": 103,
            ]
        ])
    #expect(json["pool"] == ["openConnections": 10])
    #expect(json["dropped_operations"] == 7)
}

@Test func workloadIsKeyedByKindAndHasNullsWhereNothingSucceeded() throws {
    let json = ReportJSON.encode(sampleReport())
    let append = try #require(json["workload"]?["append"])
    #expect(append["ok"] == 100 && append["fail"] == 12 && append["info"] == 3)
    #expect(append["failures"] == ["57P01 session-ended": 12, "connection-lost": 3])
    let p50 = try #require(append["latency_ms"]?["p50"]?.doubleValue)
    #expect((50...50.4).contains(p50))
    #expect(append["latency_ms"]?["max"] == 100.0)
    #expect(json["workload"]?["leak"]?["latency_ms"] == ["p50": nil, "p90": nil, "p99": nil, "p999": nil, "max": nil])
}

@Test func reportIsReadableByOthers() throws {
    let text = ReportJSON.encode(sampleReport()).prettyText
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(object?["verdict"] as? String == "invalid")
    #expect((object?["workload"] as? [String: Any])?.count == 2)
}

@Test func seedThatNumbersCannotHoldIsNeverWrittenWrong() {
    var report = sampleReport()
    report.seed = 1 << 53 - 1
    #expect(ReportJSON.encode(report)["seed"] == 9_007_199_254_740_991)
    report.seed = .max
    #expect(ReportJSON.encode(report)["seed"] == "18446744073709551615")
}
