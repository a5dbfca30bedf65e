import Checkers
import RigModel
import Testing

private func run(_ body: (inout HistoryBuilder) -> Void) -> InvariantResult {
    judge(CleanLeases.self, HistoryBuilder.history(body))
}

extension HistoryBuilder {
    fileprivate mutating func leave(_ what: JSONValue, by worker: Int, on connection: Int, at time: Double) {
        operation(
            "append", by: worker, from: time, to: time + 1, completion: Completion(connection: connection, notes: what))
    }

    fileprivate mutating func inspect(_ found: JSONValue, on connection: Int, at time: Double) {
        operation(
            "inspect", by: 50, from: time, to: time + 1,
            completion: Completion(
                connection: connection, leasedAt: Int64((time + 0.5) * 1e6), notes: ["found": found]))
    }
}

private let lock: JSONValue = [["what": "advisory-lock", "detail": "key 17"]]

@Test func nothingFoundAfterSomebodyLeftSomethingIsValid() {
    let result = run { history in
        history.leave(["residue": ["settings", "role"]], by: 3, on: 7, at: 10)
        history.inspect([], on: 7, at: 20)
    }
    #expect(result.verdict == .valid)
    #expect(result.summary == "1 lease inspected, 1 borrower had left something, nothing was found")
}

@Test func residueIsNamedWithWhoLeftIt() {
    let result = run { history in
        history.leave(["residue": ["advisory-lock"]], by: 3, on: 7, at: 10)
        history.leave(["residue": ["role", "advisory-lock"]], by: 4, on: 7, at: 20)
        history.leave(["residue": ["role"]], by: 5, on: 7, at: 30)
        history.leave(["residue": ["advisory-lock"]], by: 6, on: 8, at: 40)
        history.inspect(lock, on: 7, at: 50)
        history.leave(["residue": ["advisory-lock"]], by: 9, on: 7, at: 60)
    }
    #expect(
        result.findings == [
            Finding(
                title: "A lease came with the advisory-lock of somebody else",
                expected: "a connection as a new session is",
                seen:
                    "`inspect` of worker 50 on connection 7: found advisory-lock (key 17), left by worker 4 (event 3)",
                events: [3, 9], time: 50_500_000, activeFault: "none")
        ])
    #expect(result.measured["sorts"]?["advisory-lock"] == 1)
}

@Test func abandonedTransactionIsTheOpenOneThatIsFound() {
    let result = run { history in
        history.leave(["abandon": "transaction"], by: 3, on: 7, at: 10)
        history.inspect([["what": "transaction", "detail": ""]], on: 7, at: 20)
    }
    #expect(result.findings.first?.seen.hasSuffix("found transaction, left by worker 3 (event 1)") == true)
}

@Test func residueOfAnUnknownBorrowerIsAFindingToo() {
    let result = run { $0.inspect([["what": "search-path", "detail": "x"], ["what": "role"]], on: 7, at: 20) }
    #expect(result.findings.count == 2)
    #expect(result.findings.first?.seen.hasSuffix("found search-path (x), nobody said that he left it") == true)
}

@Test func withoutInspectionOrDirtNothingIsProven() {
    #expect(
        run { $0.leave(["residue": ["role"]], by: 1, on: 1, at: 1) }.summary
            == "not judged: no lease was ever inspected")
    let clean = run { $0.inspect([], on: 7, at: 20) }
    #expect(clean.verdict == .unknown)
    #expect(clean.summary == "not judged: nobody left anything behind that a lease could be cleaned of")
}
