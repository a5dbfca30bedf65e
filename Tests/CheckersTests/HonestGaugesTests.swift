import Checkers
import RigModel
import Testing

/// Three connections from the start, gauges every 50 ms and sockets every 250 ms for ten seconds.
private func run(
    opened: Int = 3, firstSeen: Bool? = nil, open: (Double) -> Int = { _ in 3 }, sockets: (Double) -> Int? = { _ in 3 },
    connecting: Int = 0,
    parameters: [String: ParameterValue] = [:], _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        HonestGauges.self,
        HistoryBuilder.history { history in
            history.pool("configured", ["health_check_interval_ns": 1_000_000_000], at: 0)
            for number in 0..<opened {
                let seen: JSONValue = firstSeen.map { .bool($0) } ?? .null
                history.pool("connection-opened", ["conn": JSONValue(number), "first_seen": seen], at: 0)
            }
            for step in 1..<200 {
                let at = Double(step) * 50
                history.pool(
                    "gauges",
                    [
                        "open": JSONValue(open(at)), "idle": 1, "in_use": 1, "connecting": JSONValue(connecting),
                        "waiting": 0,
                    ], at: at)
                if step % 5 == 0 { history.probe("sample", ["client_sockets": JSONValue(sockets(at))], at: at + 1) }
            }
            more(&history)
        }, Parameters(parameters))
}

@Test func gaugesThatAgreeAreValid() {
    let result = run()
    #expect(result.verdict == .valid)
    #expect(result.summary == "199 samples of the gauges against 3 connections opened and the sockets of 10 seconds")
}

@Test func gaugeThatCountsAnotherNumberIsAFinding() {
    let result = run(open: { (2000...5050).contains($0) ? 4 : 3 }, sockets: { _ in nil })
    #expect(result.findings.map(\.title) == ["The pool's gauge does not agree with its own events"])
    #expect(result.findings.first?.expected == "open 3: opened less closed")
    #expect(result.findings.first?.seen == "open 4, for 3.05 s from 2 s on")
    #expect(result.findings.first?.time == 2_000_000_000)
}

@Test func differenceInPassingIsNone() {
    #expect(run(open: { (2000...5000).contains($0) ? 4 : 3 }, sockets: { _ in nil }).verdict == .valid)
    #expect(
        run(open: { (2000...5050).contains($0) ? 4 : 3 }, sockets: { _ in nil }) {
            $0.probe("stall", ["late_ns": 60_000_000], at: 3000)
        }.verdict == .valid)
    #expect(
        run(
            open: { (2000...5000).contains($0) ? 4 : 3 }, sockets: { _ in nil },
            parameters: ["slack": .duration(.seconds(1))]
        ).verdict == .invalid)
}

@Test func differenceAtTheEndOfTheHistoryIsSeenToo() {
    #expect(run(open: { $0 > 6000 ? 2 : 3 }, sockets: { _ in nil }).verdict == .invalid)
}

@Test func closedConnectionsAreTakenOff() {
    let closing: (inout HistoryBuilder) -> Void = {
        $0.pool("connection-closed", ["conn": 1, "reason": "lost"], at: 4999)
    }
    #expect(run(open: { $0 < 5000 ? 3 : 2 }, sockets: { $0 < 5000 ? 3 : 2 }, closing).verdict == .valid)
    #expect(run(sockets: { _ in nil }, closing).verdict == .invalid)
}

@Test func connectionsWithoutASocketAreAFinding() {
    let result = run(sockets: { $0 >= 3000 && $0 < 8000 ? 2 : 3 })
    #expect(result.findings.map(\.title) == ["The pool counts connections without a socket"])
    #expect(result.findings.first?.seen == "2 sockets, 3 connections open, for 5 s from 3 s on")
}

@Test func socketsThatNobodyKnowsOfAreAFinding() {
    let result = run(sockets: { $0 >= 3000 && $0 < 8000 ? 5 : 3 })
    #expect(result.findings.map(\.title) == ["More sockets than the pool knows of"])
    #expect(run(sockets: { _ in 5 }, connecting: 2).verdict == .valid)
    #expect(run(sockets: { $0 >= 3000 && $0 < 6000 ? 5 : 3 }).verdict == .valid)
}

@Test func gaugesThatContradictThemselvesAreAFinding() {
    let impossible: (inout HistoryBuilder) -> Void = { history in
        history.pool("gauges", ["open": 3, "idle": 2, "in_use": 2, "connecting": 0, "waiting": 0], at: 77)
        history.pool("gauges", ["open": 3, "idle": 2, "in_use": 1, "connecting": 0, "waiting": -1], at: 78)
    }
    let result = run(open: { _ in 3 }, sockets: { _ in 3 }, impossible)
    #expect(result.findings.map(\.seen) == ["open 3, idle 2, in use 2", "waiting -1"])
}

@Test func withoutGaugesOrSomethingToCompareThereIsNothingToJudge() {
    #expect(judge(HonestGauges.self, []).summary == "not judged: the pool told no gauges")
    let alone = run(opened: 0, sockets: { _ in nil })
    #expect(alone.verdict == .unknown)
    #expect(run(opened: 0).verdict == .valid)
}

@Test func connectionsWhoseEndIsNeverToldAreNotCounted() {
    #expect(run(opened: 30, firstSeen: true).verdict == .valid)
    #expect(run(opened: 30).verdict == .invalid)
}

/// A second connection, and gauges that say so only when `at` says (milliseconds).
private func gaugesOf(_ open: Int, at times: [Double]) -> InvariantResult {
    judge(
        HonestGauges.self,
        HistoryBuilder.history { history in
            for number in 1...2 { history.pool("connection-opened", ["conn": JSONValue(number)], at: 0) }
            for time in times { history.pool("gauges", ["open": JSONValue(open), "idle": 0, "in_use": 0], at: time) }
        })
}

/// Seen in a real run on a machine that came to look at the gauges every few seconds only.
@Test func timeInWhichNobodyLookedAtTheGaugesCountsForNothing() {
    #expect(gaugesOf(0, at: [100, 5000, 10_000]).verdict == .valid)
    #expect(gaugesOf(0, at: (0...40).map { Double($0) * 100 }).verdict == .invalid)
    // Half a second of each gap counts: seven gaps are more than three seconds.
    #expect(gaugesOf(0, at: (0...6).map { Double($0) * 2000 }).verdict == .valid)
    #expect(gaugesOf(0, at: (0...7).map { Double($0) * 2000 }).verdict == .invalid)
}

@Test func secondsThatAreFarApartAreNoLongDifference() {
    func compared(seconds: [Double]) -> Verdict {
        judge(
            HonestGauges.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["health_check_interval_ns": 1_000_000_000], at: 0)
                for second in seconds {
                    history.pool("gauges", ["open": 10, "idle": 5, "in_use": 5], at: s(second))
                    history.probe("sample", ["client_sockets": 9], at: s(second) + 1)
                }
            }
        ).verdict
    }
    #expect(compared(seconds: [1, 4, 7, 10, 13]) == .valid)
    #expect(compared(seconds: [1, 2, 4, 5]) == .invalid)
}

@Test func socketOfTheRigThatProvesAFaultIsNoneOfThePool() {
    let sockets: (Double) -> Int? = { (2000...7000).contains($0) ? 4 : 3 }
    #expect(run(sockets: sockets) { $0.fault(0, "latency", inject: 1900, heal: 7000) }.verdict == .valid)
    #expect(run(sockets: sockets).verdict == .invalid)
    // One that is left is there afterwards.
    #expect(
        run(sockets: { $0 > 2000 ? 4 : 3 }) { $0.fault(0, "latency", inject: 1900, heal: 5000) }.verdict == .invalid)
}
