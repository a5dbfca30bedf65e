import Checkers
import RigModel
import Testing

private let truth: [String: Int] = [
    "connectsOpened": 4, "connectFailures": 2, "maxIdleClosed": 1, "maxIdleTimeClosed": 1, "maxLifetimeClosed": 1,
    "lostClosed": 3, "leaksSuspected": 1, "acquireCount": 1010, "acquireTimeouts": 20, "acquireCancelled": 0,
    "retries": 15,
]

private func counters(_ values: [String: Int]) -> JSONValue {
    .object(values.sorted { $0.key < $1.key }.map { .init($0.key, JSONValue($0.value)) })
}

private func failure(_ phase: OperationPhase, _ name: String) -> FailureDescription {
    FailureDescription(phase: phase, failureClass: name, code: nil, message: "")
}

/// 975 operations of one attempt, 20 that timed out in acquire, 5 with four attempts of which the last three had a connection.
private func run(
    _ changes: [String: Int] = [:], closed: [String: Int]? = nil, told: Bool = true,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        HonestCounters.self,
        HistoryBuilder.history { history in
            for number in 0..<4 { history.pool("connection-opened", ["conn": JSONValue(number)], at: 1) }
            for _ in 0..<2 { history.pool("connect-failed", ["code": nil], at: 2) }
            for reason in ["max-idle", "max-idle-time", "max-lifetime", "lost", "unusable", "leaked", "retired"] {
                history.pool("connection-closed", ["conn": 1, "reason": .string(reason)], at: 3)
            }
            history.pool("leak-suspected", ["conn": 1, "site": "a:1", "held_ns": 1], at: 4)
            for number in 0..<1000 {
                var completion = Completion(connection: 1)
                if number < 20 {
                    completion.connection = nil
                    completion.error = failure(.acquire, "timed-out")
                    completion.attempts = [Attempt(number: 1, outcome: .fail, error: completion.error)]
                } else if number < 25 {
                    completion.attempts =
                        [Attempt(number: 1, outcome: .fail, error: failure(.connect, "connect-failed"))]
                        + (2...3).map { Attempt(number: $0, outcome: .fail, error: failure(.query, "connection-lost")) }
                        + [Attempt(number: 4, outcome: .ok)]
                }
                history.operation(
                    "append", by: number, from: 5, to: 6, number < 20 ? .fail : .ok, completion: completion)
            }
            more(&history)
            let quiet = truth.merging(changes) { $1 }
            if told { history.pool("metrics", ["at": "quiesced", "counters": counters(quiet)], at: 9000) }
            let end = quiet.merging(closed ?? [:]) { $1 }
            history.pool("metrics", ["at": "closed", "counters": counters(end)], at: 9500)
        })
}

@Test func countersThatAgreeWithTheHistoryAreValid() {
    // 975 + 5 × 3 = 990 acquires; the tolerance is 1 % and five.
    let result = run(["acquireCount": 990])
    #expect(result.verdict == .valid)
    #expect(result.summary.hasPrefix("11 counters compared: connectsOpened 4, connectFailures 2"))
    #expect(result.measured["acquireCount"]?["least"] == 976)
    #expect(result.measured["acquireCount"]?["most"] == 1004)
}

@Test(arguments: [
    "connectsOpened", "connectFailures", "maxIdleClosed", "maxIdleTimeClosed", "maxLifetimeClosed", "lostClosed",
    "leaksSuspected",
])
func counterOfEventsThatIsOneOffIsAFinding(_ name: String) {
    for change in [-1, 1] {
        let result = run(["acquireCount": 990, name: (truth[name] ?? 0) + change])
        #expect(result.findings.map(\.title) == ["The pool's counter \(name) is wrong"])
        #expect(result.findings.first?.expected == "\(truth[name] ?? 0) by the pool's own events")
        #expect(result.findings.first?.seen == "\((truth[name] ?? 0) + change)")
    }
}

@Test(arguments: [
    ("acquireCount", 975), ("acquireCount", 1005), ("acquireTimeouts", 14), ("acquireTimeouts", 26),
    ("acquireCancelled", 6), ("retries", 9), ("retries", 21),
])
func counterOfCallsBeyondWhatTheClientsSawIsAFinding(_ name: String, _ value: Int) {
    let result = run(["acquireCount": 990].merging([name: value]) { $1 })
    #expect(result.findings.map(\.title) == ["The pool's counter \(name) is wrong"])
    #expect(result.findings.first?.expected.hasSuffix("by what the clients saw") == true)
}

@Test func usesOfTheRigAndDoubtsMakeRoom() {
    #expect(
        run(["acquireCount": 1015]) { history in
            history.probe("lone-use", ["quiet_ns": 1, "took_ns": 1, "outcome": "ok"], at: 8000)
            history.probe("all-at-once", ["asked": 10, "got": 10, "took_ns": 1], at: 8001)
        }.verdict == .valid)
    #expect(run(["acquireCancelled": 4]) { $0.operation("read", by: 9999, from: 7, to: nil) }.verdict == .valid)
}

@Test func eventsAtTheMomentOfTheCountMayBeOnEitherSide() {
    let late: (inout HistoryBuilder) -> Void = { $0.pool("connection-opened", ["conn": 9], at: 8999.5) }
    #expect(run(["acquireCount": 990, "connectsOpened": 4], late).verdict == .valid)
    #expect(run(["acquireCount": 990, "connectsOpened": 5], late).verdict == .valid)
    #expect(run(["acquireCount": 990, "connectsOpened": 6], late).verdict == .invalid)
    let after: (inout HistoryBuilder) -> Void = { $0.pool("connection-opened", ["conn": 9], at: 9000.5) }
    #expect(run(["acquireCount": 990, "connectsOpened": 5], after).verdict == .valid)
    #expect(run(["acquireCount": 990, "connectsOpened": 6], after).verdict == .invalid)
}

@Test func connectsGivenUpByAPoolThatWasReopenedAreNoFailures() {
    let fewer = ["acquireCount": 990, "connectFailures": 1]
    #expect(run(fewer) { $0.pool("closed", ["took_ns": 1], at: 100) }.verdict == .valid)
    #expect(run(fewer).verdict == .invalid)
    #expect(run(["acquireCount": 990, "connectFailures": 3]) { $0.pool("closed", [:], at: 100) }.verdict == .invalid)
}

@Test func counterThatShrinksIsAFinding() {
    let result = run(["acquireCount": 990], closed: ["retries": 14])
    #expect(result.findings.map(\.title) == ["The pool's counter retries went backwards"])
    #expect(result.findings.first?.expected == "at least 15, as before the close")
}

@Test func countersOfAProcessThatEndedStartAgain() {
    let result = run(
        [
            "connectsOpened": 1, "connectFailures": 0, "lostClosed": 0, "maxIdleClosed": 0, "maxIdleTimeClosed": 0,
            "maxLifetimeClosed": 0, "leaksSuspected": 0, "acquireCount": 7,
        ]
    ) { history in
        history.pool("process-ended", ["pid": 1, "reason": "killed"], at: 100)
        history.pool("connection-opened", ["conn": 1], at: 200)
    }
    #expect(result.verdict == .valid)
    #expect(result.summary.hasPrefix("7 counters compared"))
}

@Test func withoutCountersThereIsNothingToJudge() {
    #expect(run(told: false).summary == "not judged: the pool never told its counters while it was quiet")
    #expect(judge(HonestCounters.self, []).verdict == .unknown)
    let other = judge(
        HonestCounters.self,
        HistoryBuilder.history { $0.pool("metrics", ["at": "quiesced", "counters": ["resets": 3]], at: 1) })
    #expect(other.summary == "not judged: the pool told no counter that the history can be held against")
}

@Test func acquiresThatTheEndOfTheRunCancelledMakeRoomToo() {
    let cancelled = ["acquireCount": 990, "acquireCancelled": 10]
    #expect(run(cancelled).verdict == .invalid)
    #expect(
        run(cancelled) { history in
            history.probe("all-at-once", ["asked": 10, "got": 0, "took_ns": 1, "stopped": true], at: 8001)
        }.verdict == .valid)
}
