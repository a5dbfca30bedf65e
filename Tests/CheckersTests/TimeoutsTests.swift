import Checkers
import RigModel
import Testing

private let limits: JSONValue = [
    "max_open": 10, "acquire_timeout_ns": 2_000_000_000, "connect_timeout_ns": 2_000_000_000,
    "statement_timeout_ns": 5_000_000_000, "release_timeout_ns": 1_000_000_000, "close_timeout_ns": 5_000_000_000,
]

private func ms(_ milliseconds: Int64) -> Int64 { milliseconds * 1_000_000 }

/// One operation from 1 s on; the pool closes at 30 s.
private func run(
    acquire: Int64? = 100, query: Int64? = nil, release: Int64? = nil, close: Int64 = 10,
    configured: JSONValue? = limits,
    tolerance: Duration? = nil, _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    let length = max(acquire ?? 0, query ?? 0, release ?? 0)
    return judge(
        Timeouts.self,
        HistoryBuilder.history { history in
            if let configured { history.pool("configured", configured, at: 0) }
            history.operation(
                "append", by: 4, from: s(1), to: s(1) + Double(length), .fail,
                completion: Completion(
                    connection: 3, acquireNanoseconds: acquire.map(ms), queryNanoseconds: query.map(ms),
                    releaseNanoseconds: release.map(ms)))
            more(&history)
            history.phase("drain", at: s(29))
            history.pool(
                "closed", ["took_ns": .int(ms(close)), "limit_ns": 5_000_000_000, "leases_cut": 0], at: s(30))
            history.phase("end", at: s(31))
        }, Parameters(tolerance.map { ["tolerance": .duration($0)] } ?? [:]))
}

@Test func callsWithinTheirLimitsAreValid() {
    let result = run(acquire: 2250, query: 5250, release: 1250, close: 5250)
    #expect(result.verdict == .valid)
    #expect(
        result.summary == "acquire at most 2.25 s of 2 s, query at most 5.25 s of 5 s, release at most 1.25 s of 1 s, "
            + "close at most 5.25 s of 5 s")
    #expect(result.measured["acquire"]?["max_ms"] == 2250.0)
    #expect(result.measured["acquire"]?["limit_ms"] == 2000.0)
}

@Test(
    arguments: [
        (2251, nil, nil, 10, "An acquire took 2.25 s"), (100, 5300, nil, 10, "A statement took 5.3 s"),
        (100, nil, 1300, 10, "A release took 1.3 s"), (100, nil, nil, 5300, "Closing the pool took 5.3 s"),
    ] as [(Int64, Int64?, Int64?, Int64, String)])
func callBeyondItsLimitIsAFinding(_ acquire: Int64, _ query: Int64?, _ release: Int64?, _ close: Int64, _ title: String)
{
    let result = run(acquire: acquire, query: query, release: release, close: close)
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == [title])
}

@Test func findingTellsTheCallTheLimitAndTheFault() {
    let result = run(acquire: 3000) { $0.fault(0, inject: s(3.5), heal: s(5)) }
    #expect(
        result.findings == [
            Finding(
                title: "An acquire took 3 s", expected: "at most 2 s + 250 ms tolerance",
                seen: "3 s in `append` of worker 4 on connection 3, which ended in fail", events: [1, 4],
                time: 1_000_000_000, activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(result.summary.hasPrefix("1 call past the limit, acquire at most 3 s of 2 s"))
}

@Test func toleranceIsTheScenarios() {
    #expect(run(acquire: 2900, tolerance: .seconds(1)).verdict == .valid)
    #expect(run(acquire: 2100, tolerance: .milliseconds(50)).verdict == .invalid)
}

@Test func timeInWhichTheMachineStoodStillIsForgivenAndSaid() {
    let forgiven = run(acquire: 3000) { $0.probe("stall", ["late_ns": .int(ms(800))], at: s(2.5)) }
    #expect(forgiven.verdict == .valid)
    #expect(
        forgiven.summary.hasSuffix("up to 750 ms forgiven in 1 call, because the machine stood still"))
    // Too short, or at another time.
    let short = run(acquire: 3000) { $0.probe("stall", ["late_ns": .int(ms(700))], at: s(2.5)) }
    #expect(
        short.findings.first?.expected == "at most 2 s + 250 ms tolerance + 700 ms in which the machine stood still")
    let later = run(acquire: 3000) { $0.probe("stall", ["late_ns": .int(ms(800))], at: s(6)) }
    #expect(later.verdict == .invalid)
}

@Test func stallsThatOverlapCountOnce() {
    let result = run(acquire: 3000) { history in
        history.probe("stall", ["late_ns": .int(ms(500))], at: s(2.5))
        history.probe("stall", ["late_ns": .int(ms(500))], at: s(2.6))
    }
    #expect(result.findings.first?.expected.contains("600 ms in which the machine stood still") == true)
}

@Test func operationThatNeverEndedIsAFindingOnceTheRunIsOver() {
    let result = run { $0.operation("read", by: 9, from: s(12), to: nil) }
    #expect(result.verdict == .invalid)
    #expect(
        result.findings == [
            Finding(
                title: "An operation never ended", expected: "every operation ends in ok, fail or info",
                seen: "`read` of worker 9 was begun 19 s before the last event and has no completion", events: [3],
                time: 12_000_000_000, activeFault: "none")
        ])
    #expect(result.measured["never_ended"] == 1)
}

@Test func operationInFlightWhereTheHistoryStopsIsUnknown() {
    let result = judge(
        Timeouts.self,
        HistoryBuilder.history { history in
            history.pool("configured", limits, at: 0)
            history.operation("read", by: 1, from: 1, to: 2, completion: Completion(acquireNanoseconds: 5))
            history.operation("read", by: 2, from: 3, to: nil)
        })
    #expect(result.verdict == .unknown)
    #expect(result.summary == "not judged: the history stops before the run's end, with 1 operation in flight")
}

@Test func withoutAcquireOrLimitsThereIsNothingToJudge() {
    #expect(run(acquire: nil, query: 10).summary == "not judged: no connection was ever acquired")
    #expect(run(configured: nil).summary == "not judged: the pool never told its limits")
}

@Test func limitThatIsNotConfiguredIsNotJudged() {
    #expect(run(query: 60_000, configured: ["acquire_timeout_ns": 2_000_000_000]).verdict == .valid)
}

@Test func worstCallsAreKeptHoweverManyThereAre() {
    let result = judge(
        Timeouts.self,
        HistoryBuilder.history { history in
            for number in 0..<5000 {
                let took = number == 4 ? ms(9000) : ms(2300 + Int64(number % 7))
                history.operation(
                    "read", by: number, from: Double(number), to: Double(number) + 0.5,
                    completion: Completion(acquireNanoseconds: took))
            }
            history.pool("configured", limits, at: s(6))
        })
    #expect(result.findings.first?.title == "An acquire took 9 s")
    #expect(result.measured["acquire"]?["over"] == 1000)
    #expect(result.measured["acquire"]?["count"] == 5000)
}
