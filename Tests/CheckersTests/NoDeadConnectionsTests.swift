import Checkers
import RigModel
import Testing

private func failure(_ name: String = "session-ended", phase: OperationPhase = .query) -> FailureDescription {
    FailureDescription(phase: phase, failureClass: name, code: "57P01", message: "")
}

/// Connection 3 (pid 103), whose session has ended at 5 s, is lent out at `leased` and fails.
private func run(
    leased: Double? = 6.5, error: FailureDescription = failure(), pid: Int = 103, closed: Double? = 8,
    reason: String = "lost", trust: Int64 = 500_000_000, retried: Bool = false,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        NoDeadConnections.self,
        HistoryBuilder.history { history in
            history.pool("configured", ["check_after_idle_ns": .int(trust), "health_check_interval_ns": 1], at: 0)
            history.pool("connection-opened", ["conn": 3, "pid": 103], at: s(1))
            history.fault(0, "kill-connections", "all", inject: s(4.8), heal: s(4.9))
            history.probe("session-ended", ["pids": [JSONValue(pid)]], at: s(5))
            if let leased {
                let at = Int64(leased * 1e9)
                let attempt = Attempt(number: 1, outcome: .fail, error: error, connection: 3, leasedAt: at)
                history.operation(
                    "append", by: 4, from: s(leased) - 1, to: s(leased) + 50, retried ? .ok : .fail,
                    completion: retried
                        ? Completion(
                            attempt: 2, connection: 5, attempts: [attempt, Attempt(number: 2, outcome: .ok)],
                            leasedAt: at + 10)
                        : Completion(connection: 3, error: error, leasedAt: at))
            }
            if let closed {
                history.pool("connection-closed", ["conn": 3, "pid": 103, "reason": .string(reason)], at: s(closed))
            }
            more(&history)
        })
}

@Test func deadConnectionThatIsNotLentOutLaterIsValid() {
    #expect(run(leased: 6).summary == "1 session ended under the pool, and none was lent out more than 1 s later")
    #expect(run(leased: 6).verdict == .valid)
    #expect(run(leased: 4.9).verdict == .valid)  // lent out alive
    #expect(run(error: failure("server-error")).verdict == .valid)
    #expect(run(error: failure(phase: .acquire)).verdict == .valid)
}

@Test func deadConnectionThatIsLentOutIsAFinding() {
    #expect(
        run().findings == [
            Finding(
                title: "Connection 3 was lent out 1.5 s after its session had ended",
                expected: "found dead within 1 s, and not lent out",
                seen: "`append` of worker 4 got it at 6.5 s and failed: session-ended (57P01)", events: [1, 5, 7],
                time: 6_500_000_000, activeFault: "none (kill-connections #0 healed 1.6 s before)")
        ])
    #expect(run(error: failure("connection-lost", phase: .begin)).verdict == .invalid)
}

@Test func attemptThatARetryMadeGoodCountsToo() {
    #expect(run(retried: true).findings.map(\.title) == ["Connection 3 was lent out 1.5 s after its session had ended"])
}

@Test func timeOfTrustAndStallsIsAllowed() {
    #expect(run(trust: 1_500_000_000).verdict == .valid)
    #expect(run(trust: 1_400_000_000).verdict == .invalid)
    #expect(run { $0.probe("stall", ["late_ns": 500_000_000], at: s(6)) }.verdict == .valid)
    #expect(run { $0.probe("stall", ["late_ns": 400_000_000], at: s(6)) }.verdict == .invalid)
}

@Test func numberOfAProcessThatIsUsedAgainIsNoDeadConnection() {
    let result = run(leased: nil) { history in
        history.pool("connection-opened", ["conn": 9, "pid": 103], at: s(10))
        history.operation(
            "append", by: 5, from: s(11), to: s(12), .fail,
            completion: Completion(connection: 9, error: failure(), leasedAt: 11_000_000_000))
    }
    #expect(result.verdict == .valid)
}

@Test func withoutEndedSessionNothingIsJudgedOfTheDead() {
    #expect(run(pid: 999).summary == "not judged: no session ended under a connection of the pool")
    #expect(run(leased: nil).summary == "not judged: the clients did not tell when they were lent a connection")
    // The pool itself closed it before.
    #expect(
        run(leased: nil, closed: 4.9, reason: "max-lifetime").summary
            == "not judged: no session ended under a connection of the pool")
    #expect(
        judge(NoDeadConnections.self, []).summary
            == "not judged: the server's ended sessions were never told, or none ended")
}
