import Checkers
import RigModel
import Testing

private let configured: JSONValue = ["release_timeout_ns": 1_000_000_000]

/// One cancelled operation of worker 4 that ended at 5 s.
private func run(
    at moment: String, took: Int64, returned: Bool = false, parameters: [String: ParameterValue] = [:],
    configured: JSONValue? = configured, _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    var cancel: [JSONValue.Member] = [.init("at", .string(moment)), .init("took_ns", .int(took * 1_000_000))]
    if returned { cancel.append(.init("returned", true)) }
    return judge(
        Cancellation.self,
        HistoryBuilder.history { history in
            if let configured { history.pool("configured", configured, at: 0) }
            history.operation(
                "append", by: 4, from: 1000, to: 5000, returned ? .ok : .fail,
                completion: Completion(connection: 3, notes: ["cancel": .object(cancel)]))
            more(&history)
        }, Parameters(parameters))
}

@Test func cancelledCallThatEndsAtOnceIsValid() {
    let result = run(at: "queue", took: 1000)
    #expect(result.verdict == .valid)
    #expect(result.summary == "1 cancellation: queue 1 (at most 1 s)")
    #expect(result.measured["moments"]?["queue"]?["count"] == 1)
}

@Test func cancelledCallThatGoesOnIsAFinding() {
    let result = run(at: "queue", took: 1001) { $0.fault(0, inject: s(4.5), heal: s(6)) }
    #expect(
        result.findings == [
            Finding(
                title: "A cancelled call ended only 1 s later", expected: "at most 1 s",
                seen: "`append` of worker 4 on connection 3: cancelled (queue), ended 1 s later", events: [4],
                time: 3_999_000_000, activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(result.summary.hasPrefix("1 violation; 1 cancellation"))
}

@Test func whoHoldsAConnectionMayTakeTheTimeToGiveItBack() {
    #expect(run(at: "query", took: 2000).verdict == .valid)
    #expect(run(at: "query", took: 2001).verdict == .invalid)
    #expect(run(at: "query", took: 1500, configured: nil).verdict == .invalid)
}

@Test(arguments: ["queue", "connect", "check", "begin"])
func resultOfACallThatWasCancelledBeforeItsStatementIsAFinding(_ moment: String) {
    let result = run(at: moment, took: 1, returned: true)
    #expect(result.findings.map(\.title) == ["A cancellation was swallowed"])
    #expect(result.findings.first?.seen.contains("cancelled (\(moment)), and 1 ms later it returned a result") == true)
}

@Test func answerThatWasOnItsWayMayBeReturned() {
    #expect(run(at: "query", took: 100, returned: true).verdict == .valid)
    #expect(run(at: "query", took: 101, returned: true).verdict == .invalid)
    #expect(
        run(at: "query", took: 300, returned: true, parameters: ["grace": .duration(.seconds(1))]).verdict == .valid)
}

@Test(arguments: ["commit", "result", "release"])
func resultOfWorkThatWasDoneIsTheTruth(_ moment: String) {
    #expect(run(at: moment, took: 900, returned: true).verdict == .valid)
}

@Test func stallDuringACancellationIsForgiven() {
    #expect(run(at: "queue", took: 1400) { $0.probe("stall", ["late_ns": 400_000_000], at: 5000) }.verdict == .valid)
    let short = run(at: "queue", took: 1400) { $0.probe("stall", ["late_ns": 300_000_000], at: 5000) }
    #expect(short.findings.first?.expected == "at most 1 s + 300 ms in which the machine stood still")
}

@Test func withoutACancellationThereIsNothingToJudge() {
    let result = judge(
        Cancellation.self, HistoryBuilder.history { $0.operation("append", by: 1, from: 0, to: 1) })
    #expect(result.verdict == .unknown)
    #expect(result.summary == "not judged: no client was ever cancelled")
}
