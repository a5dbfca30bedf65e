import Checkers
import RigModel
import Testing

/// Load of one operation each 10 ms (100 a second) but in the gaps; 10 open connections but in the gaps. Phases: steady
/// from 0 s, faults from 5 s, settle from 20 s, drain at 30 s.
private func load(
    gaps: [Range<Double>], until end: Double = s(30), pool gaugeGaps: [Range<Double>]? = nil,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> [Event] {
    HistoryBuilder.history { history in
        history.phase("steady", at: 0)
        history.phase("faults", at: s(5))
        var time = 0.0
        while time < end {
            let lost = gaps.contains { $0.contains(time + 5) }
            history.operation("read", by: Int(time / 10), from: time, to: time + 5, lost ? .fail : .ok)
            if time.truncatingRemainder(dividingBy: 50) == 0 {
                let shrunk = (gaugeGaps ?? gaps).contains { $0.contains(time) }
                history.pool("gauges", ["open": shrunk ? 2 : 10, "idle": 1, "in_use": 1], at: time)
            }
            time += 10
        }
        more(&history)
        if end >= s(20) { history.phase("settle", at: s(20)) }
        history.phase("drain", at: end)
    }
}

private func records(_ events: [Event]) -> [RecoveryRecord] {
    var meter = RecoveryMeter()
    for event in events { meter.observe(event) }
    return meter.records()
}

private let within2s = Parameters(["within": .duration(.seconds(2))])

@Test func recoveryInTimeIsValidAndMeasured() throws {
    // Down from 10 s; healed at 12 s; successes again from 12.5 s; the pool is full again at 13 s.
    let events = load(gaps: [s(10)..<s(12.5)], pool: [s(10)..<s(13)]) { $0.fault(0, inject: s(10), heal: s(12)) }
    let result = judge(Recovery.self, events, within2s)
    #expect(result.verdict == .valid)
    #expect(
        result.summary == "back after 1 fault, at worst: first success 505 ms, full pool 1 s, 90 % of 100/s 400 ms "
            + "(limit 2 s)")
    #expect(
        records(events) == [
            RecoveryRecord(
                fault: "restart #0", firstOkSeconds: 0.505, fullPoolSeconds: 1, baselineThroughputSeconds: 0.4,
                baselineP95Seconds: 0, lostOperations: 250)
        ])
    #expect(result.measured["baseline_ok_per_s"] == 100.0)
    #expect(result.measured["baseline_open"] == 10)
}

@Test(
    arguments: [
        // First success too late; throughput too late (each is enough); pool too late; nothing at all.
        ([s(10)..<s(14.5)], nil),
        ([s(10)..<s(11), s(11.1)..<s(15)], nil),
        ([s(10)..<s(11)], [s(10)..<s(14)]),
        ([s(10)..<s(30)], nil),
    ] as [([Range<Double>], [Range<Double>]?)])
func recoveryThatComesTooLateIsInvalid(_ gaps: [Range<Double>], _ pool: [Range<Double>]?) throws {
    let events = load(gaps: gaps, pool: pool) { $0.fault(0, inject: s(10), heal: s(11)) }
    let result = judge(Recovery.self, events, within2s)
    #expect(result.verdict == .invalid)
    let finding = try #require(result.findings.first)
    #expect(finding.title == "restart #0 was not recovered from within 2 s")
    #expect(finding.expected == "a success, 10 open connections and 90 % of 100/s within 2 s of the heal")
    #expect(finding.activeFault == "none (restart #0 healed 2 s before)")
    let inject = try #require(events.first { $0.function == "restart" }).index
    let heal = try #require(events.last { $0.function == "restart" }).index
    #expect(finding.events == [inject, heal])
}

@Test func halfTheThroughputIsNotEnoughUnlessTheScenarioSaysSo() {
    // From 11 s on every second operation fails.
    let gaps = stride(from: s(11), to: s(30), by: 20).map { $0..<($0 + 10) }
    let events = load(gaps: gaps, pool: []) { $0.fault(0, inject: s(10), heal: s(11)) }
    #expect(judge(Recovery.self, events).verdict == .invalid)
    #expect(judge(Recovery.self, events, Parameters(["throughput": .share(0.5)])).verdict == .valid)
}

@Test func latencyThatStaysHighIsReportedOnly() throws {
    let events = load(gaps: []) { history in
        history.fault(0, inject: s(10), heal: s(10))
        // From 10 s to 15 s every completion comes with a lag of half a second beside the quick ones.
        for step in 0..<50 {
            let time = s(10) + Double(step) * 100
            for extra in 0..<10 {
                history.operation(
                    "read", by: 100_000 + step * 10 + extra, from: time, to: time + 1, .ok,
                    completion: Completion(lagNanoseconds: 500_000_000))
            }
        }
    }
    #expect(judge(Recovery.self, events).verdict == .valid)
    let record = try #require(records(events).first)
    let p95 = try #require(record.baselineP95Seconds)
    #expect((4.5...5).contains(p95))
    #expect(record.baselineThroughputSeconds == 0)
}

@Test func poolThatNoticesDeadConnectionsAfterTheHealIsNotCalledFullTooEarly() throws {
    let events = load(gaps: [], pool: [s(10.1)..<s(10.7)]) {
        $0.fault(0, "kill-connections", "all", inject: s(10), heal: s(10) + 1)
    }
    #expect(records(events).first?.fullPoolSeconds == 0.699)
}

@Test func runThatEndsBeforeTheLimitIsUnknown() {
    let events = load(gaps: [s(26)..<s(30)], until: s(30)) { $0.fault(0, inject: s(26), heal: s(27)) }
    let result = judge(Recovery.self, events)
    #expect(result.verdict == .unknown)
    #expect(
        result.summary == "not judged: restart #0, because the load ended before 5 s had passed")
    #expect(result.findings.isEmpty)
}

@Test func faultThatIsFollowedByAnotherIsJudgedWithTheLastOfTheChain() {
    func run(_ end: Double) -> InvariantResult {
        judge(
            Recovery.self,
            load(gaps: [s(10)..<s(end)]) { history in
                for number in 0..<3 {
                    history.fault(number, inject: s(10 + Double(number)), heal: s(10.5 + Double(number)))
                }
            }, within2s)
    }
    let back = run(13)
    #expect(back.verdict == .valid)
    #expect(
        back.summary.hasSuffix(
            "2 faults followed or covered by another before recovery, and judged with the last of the chain"))
    let late = run(20)
    #expect(late.verdict == .invalid)
    #expect(late.findings.map(\.title) == ["restart #2 was not recovered from within 2 s"])
}

@Test func nextFaultDoesNotExcuseOneThatHadItsTime() {
    let events = load(gaps: [s(10)..<s(16.5)]) { history in
        history.fault(0, inject: s(10), heal: s(11))
        history.fault(1, inject: s(16), heal: s(16.2))
    }
    let result = judge(Recovery.self, events, within2s)
    #expect(result.findings.map(\.title) == ["restart #0 was not recovered from within 2 s"])
}

@Test func faultThatEndsUnderAnotherIsJudgedWithThatOne() {
    let events = load(gaps: [s(10)..<s(20)]) { history in
        history.fault(0, inject: s(10), heal: s(11))
        history.fault(1, "block-network", "", inject: s(10.5), heal: s(20))
    }
    let result = judge(Recovery.self, events, within2s)
    #expect(result.verdict == .valid)
    #expect(result.measured["faults"]?.arrayValue?.map { $0["answer"] } == ["deferred", "recovered"])
}

@Test func faultThatDidNotLandEndsNoObservationAndIsNotJudged() {
    let events = load(gaps: [s(10)..<s(16)]) { history in
        history.fault(0, inject: s(10), heal: s(11))
        history.fault(1, inject: s(12), heal: s(12.1), landed: false)
    }
    #expect(judge(Recovery.self, events, within2s).findings.count == 1)
    let nothing = load(gaps: []) { $0.fault(0, inject: s(10), heal: s(11), landed: false) }
    let result = judge(Recovery.self, nothing)
    #expect(result.verdict == .unknown)
    #expect(result.summary == "not judged: no fault landed")
}

@Test func faultThatWasStillActiveWhenNothingWorkedAnyMoreIsInvalid() {
    for heal in [nil, s(30.1)] {
        let events = load(gaps: [s(10)..<s(31)]) { $0.fault(0, inject: s(10), heal: heal, forced: true) }
        let result = judge(Recovery.self, events)
        #expect(result.verdict == .invalid)
        #expect(
            result.findings.map(\.title) == [
                "restart #0 was still active when the run ended, and nothing succeeded any more"
            ])
    }
}

@Test func faultThatWasStillActiveWhileTheSystemWorkedIsUnknown() {
    let events = load(gaps: []) { $0.fault(0, "slow-network", "", inject: s(10), heal: s(30.1), forced: true) }
    #expect(judge(Recovery.self, events).verdict == .unknown)
}

@Test func runWithoutSteadySuccessHasNoBaseline() {
    let events = load(gaps: [s(0)..<s(5)]) { $0.fault(0, inject: s(10), heal: s(11)) }
    let result = judge(Recovery.self, events)
    #expect(result.verdict == .unknown)
    #expect(result.summary.contains("no baseline"))
}

@Test func badSecondInTheSteadyPhaseDoesNotMoveTheBaseline() {
    let events = load(gaps: [s(1)..<s(2), s(10)..<s(11)]) { $0.fault(0, inject: s(10), heal: s(11)) }
    #expect(judge(Recovery.self, events).measured["baseline_ok_per_s"] == 100.0)
}

@Test func machineThatStoodStillExtendsTheLimit() {
    let late = load(gaps: [s(10)..<s(14)]) { $0.fault(0, inject: s(10), heal: s(11)) }
    #expect(judge(Recovery.self, late, within2s).verdict == .invalid)
    let stalled = load(gaps: [s(10)..<s(14)]) { history in
        history.fault(0, inject: s(10), heal: s(11))
        history.probe("stall", ["late_ns": 1_500_000_000], at: s(12.8))
    }
    let result = judge(Recovery.self, stalled, within2s)
    #expect(result.verdict == .valid)
    #expect(result.summary.hasSuffix("1.5 s forgiven while the machine stood still"))
}

@Test func historyWithoutGaugesIsJudgedByThroughputAlone() {
    let events = load(gaps: [s(10)..<s(11)]) { $0.fault(0, inject: s(10), heal: s(11)) }
        .filter { $0.function != "gauges" }
    let result = judge(Recovery.self, events)
    #expect(result.verdict == .valid)
    #expect(!result.summary.contains("full pool"))
}

@Test func verySlowLoadStillHasABaseline() {
    // One operation each two seconds: most windows are empty.
    let events = HistoryBuilder.history { history in
        history.phase("steady", at: 0)
        for second in stride(from: 0.0, to: 40, by: 2) where !(10..<14).contains(second) {
            history.operation("read", by: Int(second), from: s(second) + 100, to: s(second) + 110)
        }
        history.phase("faults", at: s(9))
        history.fault(0, inject: s(10), heal: s(12))
        history.phase("drain", at: s(40))
    }
    #expect(judge(Recovery.self, events).verdict == .valid)
}

/// Load of one operation each 10 ms by the schedule; what was due in the first second came late, twice as fast.
private func hurriedLoad(hasSchedule: Bool) -> [Event] {
    HistoryBuilder.history { history in
        history.phase("steady", at: s(5))
        history.phase("faults", at: s(10))
        for number in 0..<2500 {
            let due = Double(number) * 10
            // Until 10 s two operations each 10 ms, until the schedule is met; then one.
            let begin = due < s(10) ? max(due, s(5) + due / 2) : due
            let completion = hasSchedule ? Completion(lagNanoseconds: Int64((begin - due) * 1e6)) : Completion()
            history.operation("read", by: number, from: begin, to: begin + 5, completion: completion)
        }
        for step in 0..<500 { history.pool("gauges", ["open": 10, "idle": 1, "in_use": 1], at: Double(step) * 50) }
        history.fault(0, inject: s(12), heal: s(13))
        history.phase("drain", at: s(25))
    }
}

@Test func baselineIsNoMoreThanTheScheduleAskedFor() {
    let result = judge(Recovery.self, hurriedLoad(hasSchedule: true), within2s)
    #expect(result.verdict == .valid, "\(result.summary)")
    #expect(result.measured["baseline_ok_per_s"] == 100.0)
    // Where there is no schedule, what was reached is the measure.
    #expect(judge(Recovery.self, hurriedLoad(hasSchedule: false), within2s).verdict == .invalid)
}
