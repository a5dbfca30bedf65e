import Checkers
import RigModel
import Testing

private func refusal(_ connection: Int?) -> Completion {
    Completion(
        connection: connection,
        error: FailureDescription(phase: .query, failureClass: "server-error", code: "25006", message: ""))
}

/// `times` refusals of connection 3 every 100 ms from `from` on; the fault is from 5 s to 6 s.
private func run(
    _ times: Int, from begin: Double = 9, connection: Int? = 3, _ parameters: [String: ParameterValue] = [:]
) -> InvariantResult {
    judge(
        ReadOnlyDetected.self,
        HistoryBuilder.history { history in
            history.fault(0, "failover", "to the standby", inject: s(5), heal: s(6))
            for step in 0..<times {
                let time = s(begin) + Double(step) * 100
                history.operation(
                    "append", by: step % 7, from: time - 1, to: time, .fail, completion: refusal(connection))
            }
        }, Parameters(parameters))
}

@Test func connectionThatRefusesAFewTimesIsValid() {
    #expect(run(3).verdict == .valid)
    #expect(
        run(3).summary
            == "1 connection refused 3 writes with 25006; 0 more than 3 times once the faults were over")
}

@Test func connectionThatIsHandedOutAgainAndAgainIsAFinding() {
    #expect(
        run(5).findings == [
            Finding(
                title: "Connection 3 to a read-only server was handed out again and again",
                expected: "closed after at most 3 writes refused with 25006, once the faults were over",
                seen: "5 refused in all, 5 of them within 400 ms", events: [4, 12], time: 9_000_000_000,
                activeFault: "none (failover #0 healed 3 s before)")
        ])
    #expect(run(5, ["times": .count(5)]).verdict == .valid)
}

@Test func refusalsWhileNoOtherServerTakesWritesDoNotCount() {
    #expect(run(30, from: 5).verdict == .valid)  // until 7.9 s
    #expect(run(30, from: 5, ["during-faults": .flag(true)]).verdict == .invalid)
    #expect(run(35, from: 5).verdict == .invalid)
}

@Test func attemptsThatNameTheirConnectionCount() {
    let result = judge(
        ReadOnlyDetected.self,
        HistoryBuilder.history { history in
            for step in 0..<4 {
                let error = refusal(3).error
                history.operation(
                    "append", by: 1, from: s(Double(step)), to: s(Double(step)) + 1,
                    completion: Completion(
                        attempt: 2, connection: 8,
                        attempts: [
                            Attempt(number: 1, outcome: .fail, error: error, connection: 3),
                            Attempt(number: 2, outcome: .ok),
                        ]))
            }
        })
    #expect(result.findings.map(\.title) == ["Connection 3 to a read-only server was handed out again and again"])
}

@Test func withoutRefusalNothingIsJudgedOfReadOnlyServers() {
    #expect(run(0).summary == "not judged: no write was ever refused with 25006")
    #expect(
        run(2, connection: nil).summary == "not judged: 2 writes refused with 25006, but none named its connection")
}
