import Checkers
import RigModel
import Testing

private func run(
    sessions: [(at: Double, count: Int?)] = [(5, 10)], open: Int = 8, connecting: Int = 2, tells: Bool = true,
    sockets: JSONValue = 10, configured: JSONValue = ["max_open": 10], grace: Duration? = nil,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        MaxOpenConnections.self,
        HistoryBuilder.history { history in
            history.pool("configured", configured, at: 0)
            if tells { history.pool("connection-opened", ["conn": 1, "pid": 11], at: 1) }
            history.pool("gauges", ["open": JSONValue(open), "connecting": JSONValue(connecting)], at: s(1))
            for sample in sessions {
                history.probe(
                    "sample", ["server_sessions": JSONValue(sample.count), "client_sockets": sockets], at: s(sample.at))
            }
            more(&history)
        }, Parameters(grace.map { ["grace": .duration($0)] } ?? [:]))
}

@Test func asManySessionsAndConnectionsAsAllowedAreValid() {
    let result = run()
    #expect(result.verdict == .valid)
    #expect(
        result.summary == "the server had at most 10 sessions in 1 sample, the pool counted at most 10 connections "
            + "(max-open 10)")
}

@Test func oneSessionMoreThanAllowedIsAFinding() {
    let result = run(sessions: [(5, 11), (5.25, 11), (5.5, 10)]) { $0.fault(0, inject: s(4), heal: s(4.5)) }
    #expect(
        result.findings == [
            Finding(
                title: "The server had 11 sessions of the pool, 1 more than allowed",
                expected: "at most 10, and such as were closed within 5 s before",
                seen: "11 from 5 s to 5.25 s, of which 0 may have been ending", events: [6, 7], time: 5_000_000_000,
                activeFault: "none (restart #0 healed 500 ms before)")
        ])
    #expect(result.verdict == .invalid)
}

@Test func sessionsThatAreJustEndingDoNotCountUntilTheGraceIsOver() {
    func closing(_ at: Double, grace: Duration? = nil) -> Verdict {
        run(sessions: [(9, 12)], grace: grace) { history in
            history.pool("connection-closed", ["conn": 1, "pid": 11, "reason": "unusable"], at: s(at))
            history.pool("connect-failed", ["code": nil, "message": ""], at: s(at))
        }.verdict
    }
    #expect(closing(4) == .valid)  // the bound itself: 5 s before
    #expect(closing(3.99) == .invalid)
    #expect(closing(6.9, grace: .seconds(2)) == .invalid)
}

@Test func timeOfFaultsAndStallsIsAddedToTheGrace() {
    func closing(_ more: @escaping (inout HistoryBuilder) -> Void) -> Verdict {
        run(sessions: [(10, 11)]) { history in
            history.pool("connection-closed", ["conn": 1, "pid": 11, "reason": "unusable"], at: s(4))
            more(&history)
        }.verdict
    }
    #expect(closing { _ in } == .invalid)
    #expect(closing { $0.fault(0, inject: s(4), heal: s(4.5)) } == .valid)
    #expect(closing { $0.fault(0, inject: s(1), heal: s(2)) } == .invalid)  // over before
    #expect(closing { $0.probe("stall", ["late_ns": 1_000_000_000], at: s(6)) } == .valid)
    #expect(closing { $0.probe("stall", ["late_ns": 900_000_000], at: s(6)) } == .invalid)
}

@Test func poolThatCountsTooManyItselfIsAFinding() {
    let result = run(open: 9, connecting: 2)
    #expect(result.findings.map(\.title) == ["The pool itself counted 11 connections"])
    #expect(result.findings.first?.events == [2])
}

@Test func poolsSideBySideShareTheLimitOfAll() {
    #expect(run(sessions: [(5, 20)], configured: ["max_open": 10, "instances": 2]).verdict == .valid)
    #expect(run(sessions: [(5, 21)], configured: ["max_open": 10, "instances": 2]).verdict == .invalid)
}

@Test func whereThePoolTellsNothingTheExcessMustLast() {
    let samples = (0...21).map { (at: 5 + Double($0) * 0.25, count: Optional(11)) }
    #expect(run(sessions: Array(samples.prefix(21)), tells: false).verdict == .valid)
    #expect(run(sessions: samples, tells: false).verdict == .invalid)
    // Nor does one whose clients see its connections.
    let seen = run(sessions: Array(samples.prefix(21)), tells: false) { history in
        history.pool("connection-opened", ["conn": 1, "pid": 11, "first_seen": true], at: s(11))
    }
    #expect(seen.verdict == .valid)
}

@Test func withoutLimitOrCountsNothingIsJudged() {
    #expect(run(configured: ["min_idle": 1]).summary == "not judged: the pool never told its max-open")
    #expect(run(sessions: [(5, nil)]).summary == "not judged: the server's sessions were never counted")
    #expect(run(sessions: [(5, 0)]).summary == "not judged: the server never had a session of the pool")
    // A file has no server: the pool's own count is what there is.
    #expect(run(sessions: [(5, nil)], sockets: 0).verdict == .valid)
}
