package import RigModel

/// `report.json`: the fields of design.md §8.
package enum ReportJSON {
    package static func encode(_ report: RunReport) -> JSONValue {
        [
            "schema": .string(RunReport.schema), "scenario": .string(report.scenario),
            "summary": .string(report.scenarioSummary), "seed": JSONValue(report.seed),
            "verdict": .string(report.verdict.rawValue), "exit_code": JSONValue(report.exitCode),
            "notes": .array(report.notes.map { .string($0) }), "started_at": .string(report.startedAt),
            "duration_s": seconds(report.durationSeconds), "environment": .object(report.environment),
            "target": .string(report.target), "faults": .array(report.faults.map(fault)),
            "invariants": .array(report.invariants.map(invariant)),
            "workload": .object(report.workload.map { .init($0.kind, operation($0)) }),
            "dropped_operations": JSONValue(report.droppedOperations), "pool": .object(report.pool),
            "recovery": .array(report.recovery.map(recovery)), "replay": .string(report.replay),
        ]
    }

    private static func fault(_ fault: FaultRecord) -> JSONValue {
        [
            "kind": .string(fault.kind), "detail": .string(fault.detail),
            "injected_at_s": seconds(fault.injectedAtSeconds), "healed_at_s": seconds(fault.healedAtSeconds),
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
            "events": .array(finding.events.map { JSONValue($0) }),
            "at_s": seconds(finding.time.map { Double($0) / 1e9 }), "active_fault": .string(finding.activeFault),
            "site": JSONValue(finding.site),
        ]
    }

    private static func operation(_ operation: OperationSummary) -> JSONValue {
        func at(_ quantile: Double) -> JSONValue {
            JSONValue(operation.latency.nanoseconds(atQuantile: quantile).map { (Double($0) / 1e3).rounded() / 1e3 })
        }
        return [
            "ok": JSONValue(operation.ok), "fail": JSONValue(operation.fail), "info": JSONValue(operation.info),
            "failures": .object(operation.failures.map { .init($0.name, JSONValue($0.count)) }),
            "latency_ms": ["p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "p999": at(0.999), "max": at(1)],
        ]
    }

    private static func recovery(_ record: RecoveryRecord) -> JSONValue {
        [
            "fault": .string(record.fault), "first_ok_s": seconds(record.firstOkSeconds),
            "full_pool_s": seconds(record.fullPoolSeconds),
            "baseline_throughput_s": seconds(record.baselineThroughputSeconds),
            "baseline_p95_s": seconds(record.baselineP95Seconds), "lost_ops": JSONValue(record.lostOperations),
        ]
    }

    /// To the microsecond.
    private static func seconds(_ value: Double?) -> JSONValue {
        JSONValue(value.map { ($0 * 1e6).rounded() / 1e6 })
    }
}
