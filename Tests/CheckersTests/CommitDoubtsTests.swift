import Checkers
import RigModel
import Testing

/// One transfer that ended at 10 s, and about whose COMMIT the server was asked for 100 ms.
private func run(_ end: CommitDoubt.End?, _ more: (inout HistoryBuilder) -> Void = { _ in }) -> InvariantResult {
    judge(
        CommitDoubts.self,
        HistoryBuilder.history { history in
            let doubt = end.map { CommitDoubt(transactionID: "815", end: $0, askedNanoseconds: 100_000_000) }
            history.operation(
                "transfer", by: 3, from: s(9), to: s(10), .info,
                completion: Completion(connection: 2, attempts: [Attempt(number: 1, outcome: .info, doubt: doubt)]))
            more(&history)
        })
}

@Test(arguments: [CommitDoubt.End.committed, .aborted])
func commitWhoseEndIsKnownIsValid(_ end: CommitDoubt.End) {
    let result = run(end)
    #expect(result.verdict == .valid)
    #expect(
        result.summary == "1 COMMIT without an answer, the server was asked for at most 100 ms: 1 \(end.rawValue)")
}

@Test func commitThatStaysInDoubtWithoutAReasonIsAFinding() {
    let result = run(.unknown) { $0.fault(0, inject: s(5), heal: s(7.8)) }
    #expect(
        result.findings == [
            Finding(
                title: "A COMMIT stayed in doubt although the server could be asked",
                expected: "committed or aborted, from a server that no fault had disturbed for 2 s",
                seen: "`transfer` of worker 3 on connection 2: transaction 815 unknown after 100 ms", events: [4],
                time: 9_900_000_000, activeFault: "none (restart #0 healed 2.1 s before)")
        ])
}

@Test func serverThatCouldNotSayIsForgiven() {
    #expect(run(.unknown) { $0.fault(0, inject: s(5), heal: s(7.9)) }.verdict == .valid)
    #expect(run(.unknown) { $0.fault(0, inject: s(9.95), heal: s(12)) }.verdict == .valid)
    #expect(run(.unknown) { $0.probe("stall", ["late_ns": 50_000_000], at: s(9)) }.verdict == .valid)
    #expect(run(.unknown) { $0.probe("stall", ["late_ns": 50_000_000], at: s(7.8)) }.verdict == .invalid)
}

@Test func withoutAQuestionThereIsNothingToJudge() {
    #expect(run(nil).summary == "not judged: the server was never asked about a COMMIT")
}
