import Checkers
import RigModel
import Testing

private let policy: JSONValue = [
    "retry": "safe", "retry_attempts": 4, "retry_budget_ns": 200_000_000, "retry_base_delay_ns": 10_000_000,
    "retry_max_delay_ns": 30_000_000,
]

/// Attempts with these pauses in milliseconds, and one more that succeeds.
private func retried(_ pauses: [Double]) -> Completion {
    let failed = pauses.enumerated().map { number, pause in
        Attempt(number: number + 1, outcome: .fail, delayNanoseconds: Int64(pause * 1e6))
    }
    return Completion(attempt: pauses.count + 1, attempts: failed + [Attempt(number: pauses.count + 1, outcome: .ok)])
}

private func run(
    _ operations: [[Double]], configured: JSONValue? = policy, kind: Event.Kind = .ok,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        RetryPolicyLimits.self,
        HistoryBuilder.history { history in
            if let configured { history.pool("configured", configured, at: 0) }
            for (number, pauses) in operations.enumerated() {
                history.operation(
                    "append", by: number, from: 1, to: 1000 + Double(number), kind, completion: retried(pauses))
            }
            more(&history)
        })
}

@Test func pausesUpToTheirBoundsAreValid() {
    // base, 2 × base, the cap instead of 4 × base; 5 ms tolerance.
    let result = run([[15, 25, 35]])
    #expect(result.verdict == .valid)
    #expect(result.summary == "1 operation retried, at most 4 attempts and 75 ms of pauses")
}

@Test(arguments: [([15.1], 1, "15 ms"), ([1, 25.1], 2, "25 ms"), ([1, 1, 35.1], 3, "35 ms")])
func longerPauseThanTheBackOffAllowsIsAFinding(_ pauses: [Double], _ attempt: Int, _ bound: String) {
    let result = run([pauses])
    #expect(result.verdict == .invalid)
    #expect(result.findings.count == 1)
    #expect(result.findings.first?.expected.hasSuffix("after attempt \(attempt)") == true)
    #expect(result.findings.first?.events == [2])
}

@Test func moreAttemptsThanConfiguredAreAFinding() {
    let result = run([[1, 1, 1, 1]])
    #expect(result.findings.map(\.title) == ["An operation was tried 5 times"])
    #expect(result.findings.first?.expected == "at most 4 attempts (retry policy safe)")
    #expect(result.findings.first?.seen == "`append` of worker 0: 5 attempts")
}

@Test func policyNoneAllowsNoRetry() {
    let none: JSONValue = ["retry": "none", "retry_attempts": 4]
    #expect(run([[1]], configured: none).findings.first?.expected == "at most 1 attempt (retry policy none)")
    #expect(run([[]], configured: none, kind: .fail).verdict == .valid)
    #expect(run([[]], configured: none).verdict == .unknown)
}

@Test func pausesBeyondTheBudgetAreAFinding() {
    var configured = policy
    configured = [
        "retry": "safe", "retry_attempts": 4, "retry_budget_ns": 40_000_000, "retry_base_delay_ns": 10_000_000,
        "retry_max_delay_ns": 30_000_000,
    ]
    #expect(run([[10, 20, 15]], configured: configured).verdict == .valid)
    let result = run([[10, 20, 15.1]], configured: configured)
    #expect(result.findings.map(\.title) == ["Retries waited 45.1 ms in all"])
    let stalled = run([[10, 20, 25]], configured: configured) { $0.probe("stall", ["late_ns": 10_000_000], at: 999) }
    #expect(stalled.verdict == .valid)
}

private func jittered(_ share: (inout SeededGenerator) -> Double) -> [[Double]] {
    var random = SeededGenerator(seed: 1)
    return (0..<60).map { _ in [10 * share(&random), 20 * share(&random)] }
}

@Test func fullJitterIsValid() {
    let result = run(jittered { $0.nextUnit() })
    #expect(result.verdict == .valid)
    #expect((0.4...0.6).contains(result.measured["mean_of_range"]?.doubleValue ?? 0))
}

@Test func pausesWithoutJitterAreAFinding() {
    for share in [1.0, 0.5, 0] {
        let result = run(jittered { _ in share })
        #expect(
            result.findings.map(\.title) == ["The pauses before retries are not drawn with full jitter"], "\(share)")
    }
    #expect(run(jittered { _ in 0.5 }).findings.first?.seen.hasSuffix("all of nearly the same length") == true)
    #expect(run(jittered { 0.9 + 0.1 * $0.nextUnit() }).verdict == .invalid)
}

@Test func tooFewPausesSayNothingOfTheirShape() {
    #expect(run(Array(repeating: [10, 20], count: 49)).verdict == .valid)
    #expect(run(Array(repeating: [10, 20], count: 50)).verdict == .invalid)
}

@Test func withoutRetryOrPolicyThereIsNothingToJudge() {
    #expect(run([[]]).summary == "not judged: no operation was ever retried")
    #expect(run([[1]], configured: nil).summary == "not judged: the pool never told its retry policy")
}

@Test func backOffThatWasNotToldIsNotJudgedAndSaid() {
    let result = run([[100]], configured: ["retry": "safe", "retry_attempts": 4, "retry_budget_ns": 200_000_000])
    #expect(result.verdict == .valid)
    #expect(result.summary.hasSuffix("; the pool did not tell its back-off"))
}
