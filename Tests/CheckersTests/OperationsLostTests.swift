import Checkers
import RigModel
import Testing

/// A hundred operations from 5 s to 8 s, of which `lost` fail; the fault is from 5 s to 6 s.
private func run(
    lost: Int, of total: Int = 100, landed: Bool = true, _ parameters: [String: ParameterValue] = [:]
) -> InvariantResult {
    judge(
        OperationsLost.self,
        HistoryBuilder.history { history in
            history.phases()
            history.fault(0, inject: s(5), heal: s(6), landed: landed)
            for number in 0..<total {
                let begin = s(5) + Double(number) * 25
                let kind: Event.Kind = number >= lost ? .ok : number % 2 == 0 ? .fail : .info
                history.operation("append", by: number, from: begin, to: begin + 10, kind)
            }
            for number in 0..<50 { history.operation("append", by: 500 + number, from: s(20), to: s(20.1), .fail) }
        }, Parameters(parameters))
}

@Test func fewLostOperationsAreValid() {
    #expect(run(lost: 75).verdict == .valid)  // the bound itself
    #expect(run(lost: 3).summary == "at worst 3 % lost (3 of 100, restart #0), limit 75 %")
}

@Test func manyLostOperationsAreAFinding() {
    #expect(
        run(lost: 76).findings == [
            Finding(
                title: "restart #0 cost 76 % of the operations",
                expected: "at most 75 % of those that ended until 2 s after the heal",
                seen: "76 of 100 lost from 5 s to 8 s", events: [3, 85], time: 5_000_000_000,
                activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(run(lost: 3, ["share": .share(0.02)]).verdict == .invalid)
    // Those of the first 1.1 s after the heal alone.
    #expect(run(lost: 45, ["share": .share(0.5), "recovery": .duration(.seconds(1))]).verdict == .invalid)
}

@Test func withoutFaultOrOperationsNoLossIsJudged() {
    #expect(run(lost: 50, landed: false).summary == "not judged: no fault landed")
    #expect(run(lost: 0, of: 9).summary == "not judged: fewer than 10 operations ended around restart #0")
}
