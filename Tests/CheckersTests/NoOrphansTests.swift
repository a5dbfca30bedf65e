import Checkers
import RigModel
import Testing

/// An orphan that is seen from `first` to `last`, with an operation that gave up before.
private func run(
    first: Double? = 5, last: Double = 6, abandoned: String? = "timed-out", looks: Bool = true,
    _ parameters: [String: ParameterValue] = [:], _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        NoOrphans.self,
        HistoryBuilder.history { history in
            if looks {
                history.probe("sample", ["server_sessions": 3], at: 1)
                history.probe("session-ended", ["pids": [9]], at: 1)
            }
            history.operation(
                "append", by: 4, from: s(4), to: s(4.5), .info,
                completion: Completion(
                    error: abandoned.map {
                        FailureDescription(phase: .query, failureClass: $0, code: nil, message: "")
                    }))
            if let first {
                for time in [first, (first + last) / 2, last] {
                    history.probe(
                        "orphan", ["pid": 77, "running_ns": 1_000_000_000, "query": "SELECT pg_sleep(60)"], at: s(time))
                }
            }
            more(&history)
        }, Parameters(parameters))
}

@Test func orphanThatTheServerEndsInTimeIsCountedAndValid() {
    #expect(run(last: 10).verdict == .valid)
    #expect(run().summary == "1 orphan after 1 abandoned operation, seen for at most 1 s (limit 5 s)")
    #expect(run(first: nil).summary == "0 orphans after 1 abandoned operation (limit 5 s)")
}

@Test func orphanThatRunsOnIsAFinding() {
    #expect(
        run(last: 10.5).findings == [
            Finding(
                title: "A statement ran on for 5.5 s after its client had left",
                expected: "noticed by the server within 5 s", seen: "pid 77, running for 1 s: SELECT pg_sleep(60)",
                events: [4, 6], time: 5_000_000_000, activeFault: "none")
        ])
    #expect(run(["grace": .duration(.milliseconds(500))]).verdict == .invalid)
}

@Test func timeOfAFaultOrAStallDoesNotCountForAnOrphan() {
    #expect(run(last: 10.5) { $0.fault(0, inject: s(6), heal: s(7)) }.verdict == .valid)
    #expect(run(last: 10.5) { $0.probe("stall", ["late_ns": 500_000_000], at: s(7)) }.verdict == .valid)
    #expect(run(last: 10.5) { $0.probe("stall", ["late_ns": 400_000_000], at: s(7)) }.verdict == .invalid)
}

@Test func moreOrphansThanTheScenarioAllowsAreAFinding() {
    #expect(run(["limit": .count(1)]).verdict == .valid)
    #expect(run(["limit": .count(0)]).findings.map(\.title) == ["1 orphan on the server"])
}

@Test func withoutLookOrAbandonedStatementNoOrphanIsJudged() {
    #expect(run(first: nil, looks: false).summary == "not judged: the server's sessions were never looked at")
    #expect(run(first: nil, abandoned: nil).summary == "not judged: no client ever left a statement behind")
    #expect(run(first: nil, abandoned: "server-error").verdict == .unknown)
}
