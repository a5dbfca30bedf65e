import Checkers
import RigModel
import Testing

private func run(
    waiting: Int?, configured: JSONValue = ["max_waiters": 5], limit: Int? = nil, refused: Bool = false
) -> InvariantResult {
    judge(
        BoundedWaiters.self,
        HistoryBuilder.history { history in
            history.pool("configured", configured, at: 0)
            history.fault(0, inject: s(1), heal: s(3))
            if let waiting { history.pool("gauges", ["waiting": JSONValue(waiting)], at: s(2)) }
            history.operation(
                "read", by: 1, from: s(2), to: s(3), .fail,
                completion: Completion(
                    error: FailureDescription(
                        phase: .acquire, failureClass: refused ? "pool-refused" : "timed-out", code: nil, message: "")))
        }, Parameters(limit.map { ["limit": .count($0)] } ?? [:]))
}

@Test func asManyWaitersAsAllowedAreValid() {
    #expect(run(waiting: 5).verdict == .valid)
    #expect(run(waiting: 5, refused: true).summary == "at most 5 waited at once (limit 5), 1 operation refused")
}

@Test func oneWaiterMoreIsAFinding() {
    let result = run(waiting: 6)
    #expect(
        result.findings == [
            Finding(
                title: "6 acquires waited at once", expected: "at most 5, the pool's max-waiters",
                seen: "6 waiting at 2 s", events: [3],
                time: 2_000_000_000, activeFault: "restart #0 (immediate, down for 2 s)")
        ])
}

@Test func scenariosLimitOfWaitersTakesThePlaceOfThePools() {
    #expect(run(waiting: 6, limit: 6).verdict == .valid)
    #expect(run(waiting: 4, configured: [:], limit: 3).verdict == .invalid)
    #expect(run(waiting: 10, configured: ["max_waiters": 5, "instances": 2]).verdict == .valid)
}

@Test func withoutLimitOrWaitersNothingIsJudgedOfThem() {
    #expect(
        run(waiting: 3, configured: [:]).summary
            == "not judged: the pool has no max-waiters, and the scenario gives no limit")
    #expect(run(waiting: nil).summary == "not judged: the pool never told how many wait")
    #expect(run(waiting: 0).summary == "not judged: nobody ever waited for a connection")
    #expect(run(waiting: 0, refused: true).verdict == .valid)
}
