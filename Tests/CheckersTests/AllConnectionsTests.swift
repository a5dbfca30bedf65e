import Checkers
import RigModel
import Testing

private func run(
    got: Int = 10, asked: Int = 10, at time: Double = 8, missing: Int? = nil,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        AllConnections.self,
        HistoryBuilder.history { history in
            history.pool("configured", ["max_open": 10, "acquire_timeout_ns": 2_000_000_000], at: 0)
            history.fault(0, inject: s(5), heal: s(6))
            history.probe(
                "all-at-once", ["asked": JSONValue(asked), "got": JSONValue(got), "took_ns": 1_500_000_000], at: s(time)
            )
            more(&history)
        }, Parameters(missing.map { ["missing": .count($0)] } ?? [:]))
}

@Test func poolThatLendsAllItsConnectionsIsValid() {
    #expect(run().summary == "asked for all 10 connections 1 time, at most 0 missing, the longest took 1.5 s")
    #expect(run(got: 9, missing: 1).verdict == .valid)
}

@Test func connectionThatIsMissingIsAFinding() {
    #expect(
        run(got: 9).findings == [
            Finding(
                title: "The pool lent only 9 of its 10 connections",
                expected: "10 at once, within the acquire timeout of 2 s", seen: "9 after 1.5 s", events: [4],
                time: 6_500_000_000, activeFault: "none (restart #0 healed 500 ms before)")
        ])
    #expect(run(got: 8, missing: 1).verdict == .invalid)
}

@Test func questionDuringAFaultOrAStallIsNotJudged() {
    let reason = "not judged: a fault was active, or the machine stood still, whenever the pool was asked"
    #expect(run(got: 9, at: 7).summary == reason)
    #expect(run(got: 9) { $0.probe("stall", ["late_ns": 500_000_000], at: s(7)) }.summary == reason)
    #expect(run(got: 9) { $0.probe("stall", ["late_ns": 400_000_000], at: s(7)) }.verdict == .invalid)
    // What succeeded in spite of a stall did succeed.
    #expect(run { $0.probe("stall", ["late_ns": 500_000_000], at: s(7)) }.verdict == .valid)
}

@Test func askingForFewerThanAllProvesNothing() {
    #expect(run(got: 5, asked: 5).summary == "not judged: the pool was asked for 5 connections, and may open 10")
    #expect(
        judge(AllConnections.self, []).summary == "not judged: the pool was never asked for all its connections at once"
    )
}

@Test func questionThatTheEndOfTheRunCutOffSaysNothing() {
    let result = judge(
        AllConnections.self,
        HistoryBuilder.history { history in
            history.probe("all-at-once", ["asked": 10, "got": 3, "took_ns": 1_000_000, "stopped": true], at: s(8))
        })
    #expect(result.summary == "not judged: the pool was never asked for all its connections at once")
}
