import Checkers
import RigModel
import Testing

/// `append` succeeds all the time but during the fault (5 s to 6 s), `read` again from `back` on.
private func run(
    back: Double? = 7, heal: Double? = 6, landed: Bool = true, tried: Range<Double> = 0..<30, within: Duration? = nil,
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        Liveness.self,
        HistoryBuilder.history { history in
            history.phases()
            history.fault(0, inject: s(5), heal: heal.map(s), landed: landed)
            for step in 0..<150 {
                let time = Double(step) / 5
                let isBroken = time > 4.9 && time < 6
                history.operation("append", by: 1, from: s(time), to: s(time) + 10, isBroken ? .fail : .ok)
                guard tried.contains(time) else { continue }
                let isBack = time < 4.9 || back.map { time >= $0 } ?? false
                history.operation("read", by: 2, from: s(time), to: s(time) + 10, isBack ? .ok : .fail)
            }
            more(&history)
        }, Parameters(within.map { ["within": .duration($0)] } ?? [:]))
}

@Test func everyKindThatSucceedsAgainIsValid() {
    #expect(
        run().summary == "2 of 2 kinds of operations succeeded again after restart #0, the last one (`read`) after 1 s "
            + "(limit 5 s)")
    #expect(run(back: 11).verdict == .valid)
}

@Test func kindThatSucceedsTooLateOrNeverIsAFinding() {
    let late = run(back: 11.2)
    #expect(late.verdict == .invalid)
    #expect(
        late.findings == [
            Finding(
                title: "`read` did not succeed again after restart #0", expected: "a success within 5 s",
                seen: "the first success came 5.2 s after the first try",
                events: [125, 127, 129],
                time: 6_000_000_000, activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(run(back: nil).findings.first?.seen == "no success in the 24 s until the load ended")
    #expect(run(back: 8, within: .seconds(1)).verdict == .invalid)
}

@Test func operationsThatHangSinceTheHealAreAFindingToo() {
    let result = run(back: nil, tried: 0..<5.9) { $0.operation("read", by: 3, from: s(5.95), to: nil) }
    #expect(result.findings.map(\.title) == ["`read` did not succeed again after restart #0"])
}

@Test func kindThatIsTriedLateHasItsTimeFromThen() {
    #expect(run(back: 20, tried: 18..<30).verdict == .valid)
    #expect(run(back: 24, tried: 18..<30).verdict == .invalid)
}

@Test func stallIsAddedToTheTimeOfTheFirstSuccess() {
    #expect(run(back: 11.2) { $0.probe("stall", ["late_ns": 300_000_000], at: s(8)) }.verdict == .valid)
}

@Test func withoutFaultHealOrTryNothingIsJudgedOfLiveness() {
    #expect(run(landed: false).summary == "not judged: no fault landed")
    #expect(run(heal: nil).summary == "not judged: the faults did not stop before the load ended")
    #expect(run(heal: 31).summary == "not judged: the faults did not stop before the load ended")
    #expect(run(tried: 0..<5).summary == "not judged: after the last heal nobody tried `read`")
    #expect(
        run(back: nil, heal: 28).summary
            == "not judged: the load ended less than 5 s after the last heal, without a success of `read`")
}
