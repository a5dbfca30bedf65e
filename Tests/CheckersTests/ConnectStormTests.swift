import Checkers
import RigModel
import Testing

/// `connects` in the second from 6 s on, a connection lost at 5 s.
private func run(
    connects: Int = 10, every: Double = 1, failed: Bool = false, lost: Int = 1, inFlight: Int = 4,
    configured: JSONValue = ["max_open": 10, "connects_in_flight": 4], _ parameters: [String: ParameterValue] = [:],
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        ConnectStorm.self,
        HistoryBuilder.history { history in
            history.pool("configured", configured, at: 0)
            history.fault(0, inject: s(5), heal: s(6))
            for number in 0..<lost {
                history.pool("connection-closed", ["conn": JSONValue(number), "reason": "unusable"], at: s(4.5))
            }
            for number in 0..<connects {
                let value: JSONValue = failed ? ["code": nil] : ["conn": JSONValue(100 + number), "took_ns": 1]
                history.pool(
                    failed ? "connect-failed" : "connection-opened", value, at: s(6) + Double(number) * every)
            }
            history.pool("gauges", ["open": 5, "connecting": JSONValue(inFlight)], at: s(6.5))
            more(&history)
        }, Parameters(parameters))
}

@Test func connectsWithinTheLimitsAreValid() {
    let result = run(connects: 90)
    #expect(result.verdict == .valid)
    #expect(
        result.summary == "at most 90 connects in a second of 90, 4 in flight of 4, 90 connects in all, 0 failed, "
            + "1 connection lost")
}

@Test(arguments: [false, true])
func moreConnectsInASecondThanAllowedAreAStorm(_ failed: Bool) {
    let result = run(connects: 91, failed: failed)
    #expect(
        result.findings == [
            Finding(
                title: "91 connects within a second", expected: "at most 90 in that second",
                seen: "91, good and failed, in the second from 6 s on", events: [5], time: 6_000_000_000,
                activeFault: "restart #0 (immediate, down for 2 s)")
        ])
}

@Test func connectsSpreadOverSecondsAreNoStorm() {
    #expect(run(connects: 300, every: 12).verdict == .valid)
    #expect(run(connects: 300, every: 12, ["per-second": .count(50)]).findings.count == 1)
}

@Test func twoStormsAreTwoFindings() {
    let result = run(connects: 100) { history in
        for _ in 0..<200 { history.pool("connect-failed", ["code": nil], at: s(12)) }
    }
    #expect(result.findings.map(\.title) == ["100 connects within a second", "200 connects within a second"])
}

@Test func connectionLostInTheSameSecondGivesRoomForAnother() {
    let result = run(connects: 91) { $0.pool("connection-closed", ["conn": 7, "reason": "lost"], at: s(6)) }
    #expect(result.verdict == .valid)
}

@Test func stalledMachineMayCatchUp() {
    let forgiven = run(connects: 130) { $0.probe("stall", ["late_ns": 500_000_000], at: s(6)) }
    #expect(forgiven.verdict == .valid)
    let short = run(connects: 140) { $0.probe("stall", ["late_ns": 500_000_000], at: s(6)) }
    #expect(short.findings.first?.expected == "at most 135 in that second")
}

@Test func moreInFlightThanAllowedAreAFinding() {
    let result = run(inFlight: 5)
    #expect(result.findings.map(\.title) == ["5 connects in flight at once"])
    #expect(run(inFlight: 5, ["in-flight": .count(5)]).verdict == .valid)
}

@Test func withoutOutageOrLimitsNoStormIsJudged() {
    #expect(run(connects: 0).summary == "not judged: nothing was ever connected")
    #expect(
        run(lost: 0).summary == "not judged: no connection was lost and no connect failed: there was no outage")
    #expect(
        run(configured: [:]).summary == "not judged: the pool never told its limits, and the scenario gives none")
}
