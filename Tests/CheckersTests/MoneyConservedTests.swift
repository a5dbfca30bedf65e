import Checkers
import RigModel
import Testing

private func run(
    before: JSONValue? = ["accounts": 10, "total": 1000],
    after: JSONValue? = ["accounts": 10, "total": 1000, "negative": 2], _ kind: Event.Kind = .ok, transfers: Int = 3
) -> InvariantResult {
    judge(
        MoneyConserved.self,
        HistoryBuilder.history { history in
            if let before { history.probe("accounts", before, at: 0) }
            for number in 0..<transfers {
                history.operation(
                    number == 0 ? "pausing-transfer" : "transfer", by: number, from: 10 + Double(number), to: 20, kind)
            }
            history.fault(0, inject: 12, heal: 15)
            if let after { history.probe("final-balances", after, at: 100) }
        })
}

@Test func sameSumIsValidWhateverTheAccountsHold() {
    let result = run()
    #expect(result.verdict == .valid)
    #expect(result.summary == "3 transfers of 3 succeeded, sum 1000")
    #expect(result.measured["negative_accounts"] == 2)
}

@Test(arguments: [(990, "Money was lost in transfers"), (1001, "Money came from nowhere in transfers")])
func anotherSumIsAFinding(_ total: Int, _ title: String) {
    let result = run(after: ["accounts": 10, "total": JSONValue(total)])
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == [title])
    #expect(result.findings.first?.expected == "the accounts still sum up to 1000")
    #expect(result.findings.first?.events.first == 0)
    #expect(result.findings.first?.activeFault == "restart #0 (immediate, down for 2 s)")
}

@Test func accountThatVanishedIsAFinding() {
    #expect(run(after: ["accounts": 9, "total": 1000]).findings.map(\.title) == ["Accounts appeared or vanished"])
}

@Test func withoutBothSumsOrATransferNothingIsProven() {
    #expect(run(before: nil).summary == "not judged: the accounts were not summed up before the workload")
    #expect(run(after: nil).summary == "not judged: the accounts were not summed up at the end")
    #expect(run(.info).summary == "not judged: no transfer ever succeeded")
    #expect(run(transfers: 0).summary == "not judged: no transfer ever succeeded")
}
