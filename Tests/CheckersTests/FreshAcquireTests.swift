import Checkers
import RigModel
import Testing

private func run(
    at time: Double = 10, took: Int64 = 5, outcome: String = "ok", limit: Duration? = nil,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        FreshAcquire.self,
        HistoryBuilder.history { history in
            history.fault(0, inject: s(5), heal: s(6))
            history.probe(
                "lone-use",
                ["quiet_ns": 3_000_000_000, "took_ns": .int(took * 1_000_000), "outcome": .string(outcome)], at: s(time)
            )
            more(&history)
        }, Parameters(limit.map { ["limit": .duration($0)] } ?? [:]))
}

@Test func loneUseThatSucceedsSoonIsValid() {
    #expect(run(took: 1000).verdict == .valid)
    #expect(run().summary == "1 lone use after up to 3 s of quiet, the longest took 5 ms (limit 1 s)")
}

@Test func loneUseThatIsSlowIsAFinding() {
    let result = run(took: 1001)
    #expect(
        result.findings == [
            Finding(
                title: "A lone use took 1 s", expected: "at most 1 s",
                seen: "ended in ok after 1 s, when nobody had used the pool for 3 s", events: [3], time: 8_999_000_000,
                activeFault: "none (restart #0 healed 3 s before)")
        ])
    #expect(run(took: 200, limit: .milliseconds(100)).verdict == .invalid)
    #expect(run(took: 1500) { $0.probe("stall", ["late_ns": 500_000_000], at: s(9.5)) }.verdict == .valid)
    #expect(run(took: 1500) { $0.probe("stall", ["late_ns": 400_000_000], at: s(9.5)) }.verdict == .invalid)
}

@Test(arguments: ["fail", "info"])
func loneUseThatDoesNotSucceedIsAFinding(_ outcome: String) {
    #expect(run(outcome: outcome).findings.map(\.title) == ["A lone use ended in \(outcome)"])
}

@Test func usesDuringAFaultOrSoonAfterAreNotJudged() {
    #expect(
        run(at: 7.9, outcome: "fail").summary
            == "not judged: each of the 1 lone use was during a fault or soon after")
    #expect(run(at: 8.1, outcome: "fail").verdict == .invalid)
    #expect(
        judge(FreshAcquire.self, HistoryBuilder.history { $0.fault(0, inject: 1, heal: 2) }).summary
            == "not judged: the pool was never used alone after a quiet time")
}
