import Checkers
import RigModel
import Testing

private func run(_ echoes: [JSONValue]) -> InvariantResult {
    judge(
        OwnResults.self,
        HistoryBuilder.history { history in
            for (number, echo) in echoes.enumerated() {
                history.operation(
                    "read", by: number, from: Double(number), to: Double(number) + 0.5,
                    completion: Completion(connection: 7, notes: ["echo": echo]))
            }
        })
}

@Test func ownNumberBackIsValid() {
    let result = run([true, true, ["sent": 5, "got": 5]])
    #expect(result.verdict == .valid)
    #expect(result.summary == "3 answers with its own number")
}

@Test func resultOfSomebodyElseIsAFinding() {
    let result = run([true, ["sent": 41, "got": 17]])
    #expect(result.verdict == .invalid)
    #expect(result.findings.first?.title == "A client got a result that is not its own")
    #expect(result.findings.first?.seen == "`read` of worker 1 on connection 7: sent 41, got 17")
    #expect(result.findings.first?.events == [3])
}

@Test func everyForeignResultIsCountedAlsoWhenNotListed() {
    let result = run(Array(repeating: ["sent": 1, "got": 2], count: 300))
    #expect(result.measured["foreign"] == 300)
    #expect(result.summary.hasPrefix("300 violations"))
}

@Test func answersWithoutNumbersProveNothing() {
    #expect(run([]).summary == "not judged: no answer carried its number")
    #expect(run([]).verdict == .unknown)
}
