import Checkers
import RigModel
import Testing

private let limits: JSONValue = [
    "retry": "safe", "retry_attempts": 4, "retry_budget_ns": 5_000_000_000, "acquire_timeout_ns": 2_000_000_000,
    "statement_timeout_ns": 3_000_000_000, "release_timeout_ns": 1_000_000_000,
]

/// One operation that began at 1 s; times in milliseconds.
private func run(
    _ function: String = "append", took: Double, attempts: Int = 3, acquire: Int64 = 100, query: Int64 = 200,
    release: Int64 = 50, asked: Int64? = nil, notes: JSONValue? = nil, configured: JSONValue? = limits,
    parameters: [String: ParameterValue] = [:], _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    let tries = (1...attempts).map {
        Attempt(
            number: $0, outcome: .fail,
            doubt: asked.map { CommitDoubt(transactionID: "1", end: .aborted, askedNanoseconds: $0 * 1_000_000) })
    }
    return judge(
        DeadlineKept.self,
        HistoryBuilder.history { history in
            if let configured { history.pool("configured", configured, at: 0) }
            history.operation(
                function, by: 4, from: 1000, to: 1000 + took, .fail,
                completion: Completion(
                    attempt: attempts, connection: 2, acquireNanoseconds: acquire * 1_000_000,
                    queryNanoseconds: query * 1_000_000, releaseNanoseconds: release * 1_000_000,
                    attempts: attempts > 1 ? tries : [], notes: notes))
            more(&history)
        }, Parameters(parameters))
}

@Test func budgetAndOneAttemptAreValid() {
    let result = run(took: 5000 + 350 + 500)
    #expect(result.verdict == .valid)
    #expect(result.summary == "1 operation retried, the longest operation took 5.85 s (retry budget 5 s)")
}

@Test func retryBeyondTheBudgetIsAFinding() {
    let result = run(took: 5851) { $0.fault(0, inject: 2000, heal: 3000) }
    #expect(
        result.findings == [
            Finding(
                title: "Retries went on past the deadline of their operation",
                expected: "at most 5 s + 500 ms tolerance and the time of one attempt",
                seen:
                    "`append` of worker 4 on connection 2: 5.85 s in 3 attempts, which is 5.5 s more than one attempt",
                events: [5], time: 1_000_000_000, activeFault: "restart #0 (immediate, down for 2 s)")
        ])
}

@Test func transactionHasSeveralStatements() {
    #expect(run("transfer", took: 5000 + 1150 + 500).verdict == .valid)
    #expect(run("transfer", took: 5000 + 1151 + 500).verdict == .invalid)
}

@Test func timeOfTheClientAndOfAskingIsNotTheDeadlines() {
    #expect(run(took: 7000).verdict == .invalid)
    #expect(run(took: 7000, notes: ["held_ns": 1_200_000_000]).verdict == .valid)
    #expect(run(took: 7000, asked: 400).verdict == .valid)
}

@Test func stallIsAddedToTheDeadline() {
    #expect(run(took: 6000) { $0.probe("stall", ["late_ns": 200_000_000], at: 3000) }.verdict == .valid)
    #expect(run(took: 6000) { $0.probe("stall", ["late_ns": 100_000_000], at: 3000) }.verdict == .invalid)
    #expect(run(took: 6000, parameters: ["tolerance": .duration(.seconds(1))]).verdict == .valid)
}

@Test func limitsOfOneAttemptHoldWithoutARetryToo() {
    let none: JSONValue = [
        "retry": "none", "acquire_timeout_ns": 2_000_000_000, "statement_timeout_ns": 3_000_000_000,
        "release_timeout_ns": 1_000_000_000,
    ]
    #expect(run(took: 6500, attempts: 1, configured: none).verdict == .valid)
    let result = run(took: 6501, attempts: 1, configured: none)
    #expect(result.findings.map(\.title) == ["An operation took 6.5 s"])
    #expect(run("transfer", took: 18_500, attempts: 1, configured: none).verdict == .valid)
    #expect(run("transfer", took: 18_501, attempts: 1, configured: none).verdict == .invalid)
}

@Test func withoutARetryOrABudgetThereIsNothingToJudge() {
    #expect(run(took: 10, attempts: 1).summary == "not judged: no operation was ever retried")
    #expect(run(took: 10, configured: nil).summary == "not judged: the pool never told its retry budget")
    #expect(run(took: 10, configured: ["retry": "safe"]).verdict == .unknown)
}
