package import RigModel

/// `report.json`, schema `chaosrig.report/1`. Times in seconds with microseconds, latencies in milliseconds with
/// microseconds; what is not known is null.
package enum ReportJSON {
    /// The invariants as the report has them.
    package static func encode(_ invariants: [InvariantResult]) -> JSONValue { .array(invariants.map(invariant)) }

    package static func encode(_ report: RunReport) -> JSONValue {
        [
            "schema": .string(RunReport.schema),
            "scenario": .string(report.scenario),
            "scenario_summary": .string(report.scenarioSummary),
            "seed": seed(report.seed),
            "verdict": .string(report.verdict.rawValue),
            "exit_code": JSONValue(report.exitCode),
            "started_at": .string(report.startedAt),
            "duration_s": rounded(report.durationSeconds, 6),
            "environment": .object(report.environment),
            "target": .string(report.target),
            "faults": .array(report.faults.map(fault)),
            "invariants": encode(report.invariants),
            "workload": .object(report.workload.map { JSONValue.Member($0.kind, operation($0)) }),
            "dropped_operations": JSONValue(report.droppedOperations),
            "pool": .object(report.pool),
            "recovery": .array(report.recovery.map(recovery)), "resources": .object(report.resources),
            "notes": .array(report.notes.map(JSONValue.string)),
            "replay": .string(report.replay),
        ]
    }

    /// A number. Seeds are drawn below 2^53, so that every JSON reader keeps them; one beyond would be read back wrong,
    /// and is written as a text.
    private static func seed(_ seed: UInt64) -> JSONValue {
        seed < 1 << 53 ? .int(Int64(seed)) : .string(String(seed))
    }

    private static func fault(_ fault: FaultRecord) -> JSONValue {
        [
            "number": JSONValue(fault.number), "kind": .string(fault.kind), "detail": .string(fault.detail),
            "injected_at_s": rounded(fault.injectedAtSeconds, 6), "healed_at_s": rounded(fault.healedAtSeconds, 6),
            "landed": .bool(fault.landed), "evidence": fault.evidence,
        ]
    }

    private static func invariant(_ result: InvariantResult) -> JSONValue {
        [
            "name": .string(result.name), "verdict": .string(result.verdict.rawValue),
            "summary": .string(result.summary), "findings": .array(result.findings.map(finding)),
            "measured": result.measured,
        ]
    }

    private static func finding(_ finding: Finding) -> JSONValue {
        [
            "title": .string(finding.title), "expected": .string(finding.expected), "seen": .string(finding.seen),
            "at_s": rounded(finding.time.map { Double($0) / 1e9 }, 6), "active_fault": .string(finding.activeFault),
            "site": JSONValue(finding.site), "events": .array(finding.events.map { JSONValue($0) }),
        ]
    }

    private static func operation(_ operation: OperationSummary) -> JSONValue {
        func milliseconds(_ quantile: Double) -> JSONValue {
            rounded(operation.latency.nanoseconds(atQuantile: quantile).map { Double($0) / 1e6 }, 3)
        }
        return [
            "ok": JSONValue(operation.ok), "fail": JSONValue(operation.fail), "info": JSONValue(operation.info),
            "failures": .object(operation.failures.map { JSONValue.Member($0.name, JSONValue($0.count)) }),
            "latency_ms": [
                "p50": milliseconds(0.5), "p90": milliseconds(0.9), "p99": milliseconds(0.99),
                "p999": milliseconds(0.999), "max": milliseconds(1),
            ],
        ]
    }

    private static func recovery(_ record: RecoveryRecord) -> JSONValue {
        [
            "fault": .string(record.fault), "first_ok_s": rounded(record.firstOkSeconds, 6),
            "full_pool_s": rounded(record.fullPoolSeconds, 6),
            "baseline_throughput_s": rounded(record.baselineThroughputSeconds, 6),
            "baseline_p95_s": rounded(record.baselineP95Seconds, 6), "lost_ops": JSONValue(record.lostOperations),
        ]
    }

    private static func rounded(_ number: Double?, _ decimals: Int) -> JSONValue {
        guard let number else { return .null }
        let scale = decimals == 3 ? 1e3 : 1e6
        return .double((number * scale).rounded() / scale)
    }
}
