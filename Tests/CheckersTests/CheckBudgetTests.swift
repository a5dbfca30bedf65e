import Checkers
import RigModel
import Testing

/// Ten connections, of which four are idle for ten seconds: 40 s in all, so 4 checks by the interval and 8 before leases.
private func run(
    checks: Int64, acquires: Int64 = 5000, afterIdle: Int64 = 5000, interval: JSONValue = 10_000_000_000,
    gauges: [Double] = (0...200).map { Double($0) * 50 }, _ parameters: Parameters = Parameters()
) -> InvariantResult {
    judge(
        CheckBudget.self,
        HistoryBuilder.history { history in
            history.pool(
                "configured",
                [
                    "max_open": 10, "health_check_interval_ns": interval,
                    "check_after_idle_ns": .int(afterIdle * 1_000_000),
                ], at: 0)
            for number in 0..<10 { history.pool("connection-opened", ["conn": JSONValue(number)], at: 0) }
            for at in gauges { history.pool("gauges", ["open": 10, "idle": 3, "in_use": 6], at: at) }
            history.pool(
                "metrics",
                [
                    "at": "quiesced",
                    "counters": [
                        "healthChecksOK": .int(checks - 1), "healthChecksFailed": 1, "acquireCount": .int(acquires),
                    ],
                ], at: s(10.1))
        }, parameters)
}

@Test func checksWithinTheSettingsAreValid() {
    // 12 and a tenth, twenty for the connections, twenty in any case.
    let result = run(checks: 54)
    #expect(result.verdict == .valid)
    #expect(result.summary == "54 health checks, the settings allow 54")
    #expect(run(checks: 64, Parameters(["tolerance": .share(0.9)])).verdict == .invalid)
    #expect(run(checks: 62, Parameters(["tolerance": .share(0.9)])).verdict == .valid)
}

@Test func checkAtEveryAcquireIsAFindingUnlessThePoolWasToldTo() {
    let result = run(checks: 5000)
    #expect(
        result.findings == [
            Finding(
                title: "The pool made 5000 health checks",
                expected: "at most 54 (every 10 s and before a lease after 5 s of idle time)",
                seen: "5000 for 5000 acquires and 10 connections, which together were idle for 40 s", events: [212],
                time: 10_100_000_000, activeFault: "none")
        ])
    #expect(run(checks: 5000, afterIdle: 0).verdict == .valid)
    #expect(run(checks: 5600, afterIdle: 0).verdict == .invalid)
}

@Test func timeInWhichNobodyLookedCountsAsIdle() {
    // All ten for ten seconds: 100 s are 10 checks and 20 before leases.
    #expect(run(checks: 73, gauges: [0, 10_000]).verdict == .valid)
    #expect(run(checks: 74, gauges: [0, 10_000]).verdict == .invalid)
}

@Test func withoutChecksOrCountersThereIsNothingToJudge() {
    #expect(judge(CheckBudget.self, []).summary == "not judged: the pool never told how many checks it had made")
    let never = judge(
        CheckBudget.self,
        HistoryBuilder.history { history in
            history.pool("configured", ["health_check_interval_ns": 1_000_000_000], at: 0)
            history.pool("gauges", ["open": 1, "in_use": 0], at: 1)
            history.pool(
                "metrics", ["at": "quiesced", "counters": ["healthChecksOK": 0, "healthChecksFailed": 0]], at: 2)
        })
    #expect(never.summary == "not judged: no connection was ever checked")
}
