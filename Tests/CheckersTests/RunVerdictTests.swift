import Checkers
import RigModel
import Testing

private func timeline(_ events: [Event]) -> FaultTimeline {
    var timeline = FaultTimeline()
    for event in events { timeline.observe(event) }
    return timeline
}

private func kinds(_ body: (inout HistoryBuilder) -> Void) -> OperationKinds {
    var kinds = OperationKinds()
    for event in HistoryBuilder.history(body) { kinds.observe(event) }
    return kinds
}

private let appendsOK = kinds { $0.operation("append", by: 1, from: 1, to: 2) }
private let landed = timeline(HistoryBuilder.history { $0.fault(0, inject: 10, heal: 20) })

private func invariant(_ verdict: Verdict) -> InvariantResult {
    InvariantResult(name: "x", verdict: verdict, summary: "")
}

private func verdict(
    _ invariants: [InvariantResult] = [invariant(.valid)], _ faults: FaultTimeline = landed, expected: Int = 1,
    _ operations: OperationKinds = appendsOK, configured: [String] = ["append"], problem: String? = nil
) -> RunVerdict {
    RunVerdict(
        invariants: invariants, faults: faults, expectedInjections: expected, operations: operations,
        configuredKinds: configured, historyProblem: problem)
}

@Test func runIsValidWhenEverythingIs() {
    #expect(verdict().verdict == .valid)
    #expect(verdict().notes.isEmpty)
    // No fault planned, no fault missed.
    #expect(verdict([invariant(.valid)], FaultTimeline(), expected: 0).verdict == .valid)
}

@Test func worstVerdictWins() {
    #expect(verdict([invariant(.valid), invariant(.unknown)]).verdict == .unknown)
    #expect(verdict([invariant(.invalid), invariant(.unknown)]).verdict == .invalid)
    #expect(verdict([invariant(.invalid)], problem: "it was cut").verdict == .invalid)
}

@Test("Of a proof of nothing the reason is read, not the JSON around it")
func reasonOfAFaultThatDidNotLand() {
    #expect(EvidenceWords.reason(["proof": "calls", "reason": "no write calls"]) == "no write calls")
    #expect(EvidenceWords.reason("57P03") == "57P03")
    #expect(EvidenceWords.reason(["proof": "calls"]) == #"{"proof":"calls"}"#)
    let missed = timeline(
        HistoryBuilder.history {
            $0.fault(
                0, "io-error", "write", inject: 10, heal: 20, landed: false,
                evidence: ["proof": "calls", "reason": "no write calls"])
        })
    #expect(verdict([invariant(.valid)], missed).notes.first?.hasSuffix(" did not land: no write calls.") == true)
}

@Test func faultThatDidNotLandMakesTheRunUnknownAndSaysWhy() {
    let missed = timeline(HistoryBuilder.history { $0.fault(0, inject: 10, heal: 20, landed: false) })
    #expect(verdict([invariant(.valid)], missed).verdict == .unknown)
    #expect(
        verdict([invariant(.valid)], missed).notes == [
            "The fault restart #0 (immediate, down for 2 s) did not land: 57P03."
        ])
    let unproven = timeline(
        HistoryBuilder.history { $0.nemesis(.inject(fault: 0, kind: "restart", detail: ""), at: 1) })
    #expect(
        verdict([invariant(.valid)], unproven).notes == [
            "The fault restart #0 did not land: its proof never came.", "The fault restart #0 was never healed.",
        ])
}

@Test func faultThatWasPlannedAndNeverInjectedMakesTheRunUnknown() {
    let none = verdict([invariant(.valid)], FaultTimeline(), expected: 2)
    #expect(none.verdict == .unknown)
    #expect(none.notes == ["2 faults should have been injected, but only 0 were."])
}

@Test func faultThatCouldNotBeHealedIsNoted() {
    let stuck = timeline(
        HistoryBuilder.history { history in
            history.nemesis(.inject(fault: 0, kind: "restart", detail: ""), at: 1)
            history.nemesis(.landed(fault: 0, kind: "restart", landed: true, evidence: .null), at: 2)
            history.nemesis(.heal(fault: 0, kind: "restart", ok: false, forced: false, facts: .null), at: 3)
        })
    #expect(verdict([invariant(.valid)], stuck).notes == ["The fault restart #0 could not be healed."])
    #expect(verdict([invariant(.valid)], stuck).verdict == .unknown)
}

@Test func kindThatNeverSucceededOrNeverRanMakesTheRunUnknown() {
    let operations = kinds { history in
        history.operation("append", by: 1, from: 1, to: 2)
        history.operation("read", by: 2, from: 1, to: 2, .fail)
        history.operation("read", by: 3, from: 1, to: 2, .info)
    }
    let result = verdict([invariant(.valid)], landed, operations, configured: ["append", "read", "transfer"])
    #expect(result.verdict == .unknown)
    #expect(
        result.notes == [
            "No operation of kind transfer was ever tried: nothing about it is proven.",
            "No operation of kind read ever succeeded (2 tried): nothing about it is proven.",
        ])
    #expect(operations.counts["read"] == OperationKinds.Counts(invoked: 2, ok: 0, fail: 1, info: 1))
}

@Test func historyThatIsIncompleteOrUncheckedIsUnknown() {
    #expect(
        verdict(problem: "the end line is missing").notes == ["The history is not complete: the end line is missing."])
    #expect(verdict(problem: "the end line is missing").verdict == .unknown)
    #expect(verdict([]).verdict == .unknown)
}

@Test func catalogueNamesEachCheckerOnceAndBuildsIt() throws {
    let names = CheckerCatalogue.shapes.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.prefix(4) == ["zero-leaked-connections", "recovery", "retry-correctness", "timeouts"])
    for shape in CheckerCatalogue.shapes {
        var checker = try #require(CheckerCatalogue.make(shape.name, Parameters()))
        checker.observe(Event(index: 0, time: 0, kind: .end, process: .probe, function: "end"))
        let result = checker.finish()
        #expect(result.name == shape.name)
        // Nothing happened: no checker may call that a success.
        #expect(result.verdict == .unknown)
        #expect(result.summary.hasPrefix("not judged: "))
    }
    #expect(CheckerCatalogue.make("recovry", Parameters()) == nil)
}
