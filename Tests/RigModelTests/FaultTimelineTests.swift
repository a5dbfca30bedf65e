import RigModel
import Testing

private func event(_ index: Int, _ time: Int64, _ fact: NemesisFact) -> Event {
    Event(index: index, time: time, kind: .info, process: .nemesis, function: fact.function, value: fact.value)
}

@Test(arguments: [
    NemesisFact.phase("steady"), .inject(fault: 2, kind: "restart", detail: "restart fast"),
    .landed(fault: 2, kind: "restart", landed: false, evidence: "nothing happened"),
    .heal(fault: 2, kind: "restart", ok: true, forced: true, facts: ["outage_ns": 5]),
])
func nemesisFactIsReadBackAsItWasWritten(_ fact: NemesisFact) {
    #expect(NemesisFact(event(0, 0, fact)) == fact)
}

@Test func factsOfOthersAreNotTheNemesis() {
    let fact = NemesisFact.phase("steady")
    let pool = Event(index: 0, time: 0, kind: .info, process: .pool, function: fact.function, value: fact.value)
    #expect(NemesisFact(pool) == nil)
}

@Test func timelineKnowsEachInjectionAndEachPhase() throws {
    var timeline = FaultTimeline()
    timeline.observe(event(0, 0, .phase("steady")))
    timeline.observe(event(1, 100, .phase("faults")))
    timeline.observe(event(2, 110, .inject(fault: 0, kind: "restart", detail: "restart immediate, down for 2 s")))
    timeline.observe(event(3, 150, .heal(fault: 0, kind: "restart", ok: true, forced: false, facts: .null)))
    timeline.observe(event(4, 160, .landed(fault: 0, kind: "restart", landed: true, evidence: "57P03")))
    #expect(timeline.span(ofPhase: "steady") == 0..<100)
    #expect(timeline.span(ofPhase: "faults") == 100..<160)
    #expect(timeline.span(ofPhase: "drain") == nil)
    let injection = try #require(timeline.injections.first)
    #expect(injection.name == "restart #0 (immediate, down for 2 s)")
    #expect(injection.shortName == "restart #0")
    #expect(injection.landed == true && injection.healOK == true && !injection.forced)
    #expect(injection.inject == FaultTimeline.Moment(index: 2, time: 110))
    #expect(injection.heal == FaultTimeline.Moment(index: 3, time: 150))
}

@Test func theLastTryToHealCountsAlsoWhereTheHistoryIsReadInParts() throws {
    let events = [
        event(0, 10, .heal(fault: 0, kind: "restart", ok: false, forced: false, facts: .null)),
        event(1, 50, .heal(fault: 0, kind: "restart", ok: true, forced: true, facts: .null)),
    ]
    let parts = events.map { event in
        var timeline = FaultTimeline()
        timeline.observe(event)
        return timeline
    }
    var whole = parts[0]
    whole.observe(events[1])
    for order in [parts, parts.reversed()] {
        var merged = order[0]
        merged.merge(order[1])
        #expect(merged == whole)
        let injection = try #require(merged[0])
        #expect(injection.healOK == true && injection.forced && injection.heal?.time == 50)
    }
}
