import Checkers
import RigModel
import Testing

private func id(_ sequence: Int, attempt: Int = 0) -> JSONValue {
    .int(OperationID(worker: 0, sequence: sequence, attempt: attempt).rawValue)
}

private func rows(_ ids: [JSONValue], part: Int = 0, of parts: Int = 1) -> JSONValue {
    ["ids": .array(ids), "part": JSONValue(part), "parts": JSONValue(parts)]
}

/// Append 1 ends in ok, 2 in fail, 3 in info, 4 never; then the table is read.
private func appends(
    rows final: [JSONValue]?, _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        RetryCorrectness.self,
        HistoryBuilder.history { history in
            history.operation("append", by: 1, from: 10, to: 20, .ok, value: id(1))
            history.operation("append", by: 2, from: 11, to: 21, .fail, value: id(2))
            history.operation("append", by: 3, from: 12, to: 22, .info, value: id(3))
            history.operation("append", by: 4, from: 13, to: nil, value: id(4))
            more(&history)
            if let final { history.probe("final-appends", rows(final), at: s(30)) }
        })
}

@Test func acknowledgedRowsOnceFailedNeverAndDoubtfulAtMostOnceIsValid() {
    let all = appends(rows: [id(1, attempt: 1), id(3, attempt: 1), id(4, attempt: 2)])
    #expect(all.verdict == .valid)
    #expect(
        all.summary == "appends (1 ok, 1 fail, 1 info) are there exactly once, 2 of unknown outcome among them; "
            + "0 operations retried, all within the rules")
    #expect(appends(rows: [id(1, attempt: 1)]).verdict == .valid)
}

@Test func acknowledgedAppendWithoutARowIsLost() {
    let result = appends(rows: []) { $0.fault(0, inject: 15, heal: 40) }
    #expect(result.verdict == .invalid)
    #expect(
        result.findings == [
            Finding(
                title: "An acknowledged append is lost", expected: "exactly one row for what ended in ok",
                seen: "operation 16: no row at the end", events: [0, 6], time: 10_000_000,
                activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(
        result.summary == "1 violation: appends 1 lost (appends 1 ok, 1 fail, 1 info)")
}

@Test func doubledRowNamesTheAttemptsThatWroteIt() {
    let result = appends(rows: [id(1, attempt: 1), id(1, attempt: 2), id(3, attempt: 1), id(3, attempt: 1)])
    #expect(result.verdict == .invalid)
    #expect(
        result.findings.map(\.seen) == [
            "operation 16: 2 rows, written by attempt 1 and attempt 2",
            "operation 48: 2 rows, written by attempt 1 and attempt 1",
        ])
    #expect(result.findings.first?.events == [0, 4, 7])
}

@Test func rowOfAFailedAppendAndRowOfNobodyAreFindings() {
    let result = appends(rows: [id(1, attempt: 1), id(2, attempt: 1), id(99, attempt: 1)])
    #expect(result.findings.map(\.title) == ["An append that failed is there", "A row is there that nobody wrote"])
    #expect(result.measured["failed_but_there"] == 1)
    #expect(result.measured["never_written"] == 1)
}

@Test func rowsMayComeInPartsInAnyOrderAndAPartThatIsMissingIsUnknown() {
    func run(_ parts: [Int]) -> InvariantResult {
        appends(rows: nil) { history in
            for part in parts {
                history.probe("final-appends", rows(part == 0 ? [id(1, attempt: 1)] : [], part: part, of: 2), at: s(9))
            }
        }
    }
    #expect(run([1, 0]).verdict == .valid)
    // A part that is told twice is not two rows.
    #expect(run([0, 1, 0]).verdict == .valid)
    let half = run([1])
    #expect(half.verdict == .unknown)
    #expect(half.summary == "not judged: only 1 of 2 parts of the append table are there")
    #expect(run([]).summary == "not judged: the append table was never read at the end")
}

@Test func violationOutweighsAPartThatIsMissing() {
    let result = appends(rows: nil) { history in
        history.probe("final-appends", rows([id(2, attempt: 1)], part: 0, of: 2), at: s(9))
    }
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == ["An append that failed is there"])
}

@Test func runInWhichNothingSucceededIsUnknown() {
    let result = judge(
        RetryCorrectness.self,
        HistoryBuilder.history { history in
            history.operation("append", by: 1, from: 1, to: 2, .fail, value: id(1))
            history.probe("final-appends", rows([]), at: 9)
        })
    #expect(result.verdict == .unknown)
    #expect(result.summary == "not judged: no append and no transfer ever succeeded")
}

@Test func manyFindingsOfOneSortDoNotHideTheOthers() {
    let result = judge(
        RetryCorrectness.self,
        HistoryBuilder.history { history in
            for number in 0..<300 {
                history.operation("append", by: number, from: 1, to: 2, .ok, value: id(number))
            }
            history.probe("accounts", ["accounts": 10, "total": 1000], at: 0)
            history.probe("final-appends", rows([]), at: 9)
            history.probe("final-balances", ["accounts": 10, "total": 990, "negative": 0], at: 9)
        })
    #expect(result.findings.count == InvariantResult.findingLimit)
    #expect(result.findings.filter { $0.title == "Money was lost in transfers" }.count == 1)
    #expect(result.summary.hasSuffix("(the first 20 of 301 findings are listed)"))
    #expect(result.measured["lost"] == 300)
}

private func transfers(before: JSONValue?, after: JSONValue?) -> InvariantResult {
    judge(
        RetryCorrectness.self,
        HistoryBuilder.history { history in
            if let before { history.probe("accounts", before, at: 0) }
            history.operation("transfer", by: 1, from: 1, to: 2, .ok, value: ["from": 1, "to": 2, "amount": 5])
            if let after { history.probe("final-balances", after, at: 9) }
        })
}

@Test func moneyThatIsStillThereIsValid() {
    let result = transfers(
        before: ["accounts": 10, "total": 1000], after: ["accounts": 10, "total": 1000, "negative": 2])
    #expect(result.verdict == .valid)
    #expect(result.summary == "1 transfer kept the sum of 1000; 0 operations retried, all within the rules")
    #expect(result.measured["negative_accounts"] == 2)
}

@Test(
    arguments: [
        (["accounts": 10, "total": 995, "negative": 0], "Money was lost in transfers"),
        (["accounts": 10, "total": 1005, "negative": 0], "Money came from nowhere in transfers"),
        (["accounts": 9, "total": 1000, "negative": 0], "Accounts appeared or vanished"),
    ] as [(JSONValue, String)])
func moneyThatChangedIsAFinding(_ after: JSONValue, _ title: String) {
    let result = transfers(before: ["accounts": 10, "total": 1000], after: after)
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == [title])
    #expect(result.findings.first?.events == [0, 3])
}

@Test func moneyThatWasNotCountedIsUnknown() {
    let count: JSONValue = ["accounts": 10, "total": 1000, "negative": 0]
    #expect(transfers(before: count, after: nil).summary == "not judged: the accounts were not summed up at the end")
    #expect(transfers(before: nil, after: count).verdict == .unknown)
}

private let lost = FailureDescription(phase: .commit, failureClass: "connection-lost", code: nil, message: "gone")

private func retried(_ attempts: [Attempt], policy: String = "safe") -> InvariantResult {
    judge(
        RetryCorrectness.self,
        HistoryBuilder.history { history in
            history.pool(
                "configured", ["retry": .string(policy), "retry_attempts": 3, "retry_budget_ns": 1_000_000_000], at: 0)
            history.operation(
                "append", by: 1, from: 1, to: 2, .ok, value: id(1),
                completion: Completion(attempt: attempts.count, attempts: attempts))
            history.probe("final-appends", rows([id(1, attempt: attempts.count)]), at: 9)
        })
}

@Test func retryOfWhatCertainlyFailedOrMayHappenTwiceIsWithinTheRules() {
    let result = retried([
        Attempt(number: 1, outcome: .fail, error: lost, delayNanoseconds: 500_000_000),
        Attempt(number: 2, outcome: .info, error: lost, delayNanoseconds: 500_000_000, isIdempotent: true),
        Attempt(number: 3, outcome: .ok, isIdempotent: true),
    ])
    #expect(result.verdict == .valid)
    #expect(result.measured["retried"] == 1)
}

@Test func retryOfWhatMayHaveHappenedIsAViolationEvenWhenTheRowsAreRight() {
    let result = retried([Attempt(number: 1, outcome: .info, error: lost), Attempt(number: 2, outcome: .ok)])
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == ["An operation was repeated although it may have happened"])
    #expect(
        result.findings.first?.seen == "`append` of worker 1: attempt 1 ended in info (connection-lost during commit), "
            + "and attempt 2 followed")
    #expect(result.findings.first?.events == [1, 2])
}

@Test func lastAttemptMayStayInDoubt() {
    #expect(retried([Attempt(number: 1, outcome: .fail), Attempt(number: 2, outcome: .info)]).verdict == .valid)
}

@Test func retryInsideAnOpenTransactionIsAViolation() {
    let result = retried([
        Attempt(number: 1, outcome: .fail), Attempt(number: 2, outcome: .ok, insideOpenTransaction: true),
    ])
    #expect(result.findings.map(\.title) == ["A statement was repeated inside an open transaction"])
}

@Test func attemptsAndPausesBeyondTheLimitsAreViolations() {
    let four = (1...4).map { Attempt(number: $0, outcome: $0 < 4 ? .fail : .ok) }
    #expect(retried(four).findings.map(\.title) == ["An operation was tried 4 times"])
    #expect(retried(four).findings.first?.expected == "at most 3 attempts (retry policy safe)")
    #expect(retried(four, policy: "blind").verdict == .invalid)
    let slow = [
        Attempt(number: 1, outcome: .fail, delayNanoseconds: 600_000_000),
        Attempt(number: 2, outcome: .fail, delayNanoseconds: 600_000_000), Attempt(number: 3, outcome: .ok),
    ]
    #expect(retried(slow).findings.map(\.title) == ["Retries waited 1.2 s in all"])
}

@Test func policyThatNeverRetriesMustNotRetry() {
    let two = [Attempt(number: 1, outcome: .fail), Attempt(number: 2, outcome: .ok)]
    #expect(retried(two, policy: "none").findings.map(\.title) == ["An operation was tried 2 times"])
    #expect(retried([Attempt(number: 1, outcome: .ok)], policy: "none").verdict == .valid)
}
