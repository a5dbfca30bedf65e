import Checkers
import RigModel
import Testing

/// A hundred operations a second of 2 ms, and of 500 ms from the heal at 10 s until `slowUntil`.
private func run(slowUntil: Double, _ parameters: Parameters) -> InvariantResult {
    judge(
        Recovery.self,
        HistoryBuilder.history { history in
            history.phases()
            history.fault(0, "latency", "", inject: s(9), heal: s(10))
            for step in 0..<3000 {
                let at = Double(step) * 10
                let isSlow = at >= s(10) && at < s(slowUntil)
                history.operation("read", by: step, from: at, to: at + (isSlow ? 500 : 2))
            }
        }, parameters)
}

@Test func latencyThatDoesNotComeBackIsAFindingWhereTheScenarioBoundsIt() {
    let bound = Parameters(["p95": .duration(.seconds(4))])
    #expect(run(slowUntil: 30, Parameters()).verdict == .valid)
    #expect(run(slowUntil: 12, bound).verdict == .valid)
    let result = run(slowUntil: 30, bound)
    #expect(result.verdict == .invalid)
    #expect(result.findings.first?.seen.contains("95th percentile not within the 20 s observed") == true)
    #expect(
        result.findings.first?.expected.contains(" of the heal, a 95th percentile of at most 22")
            == true)
    #expect(run(slowUntil: 16, bound).verdict == .invalid)
}
