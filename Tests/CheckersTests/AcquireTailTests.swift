import Checkers
import RigModel
import Testing

/// 2000 acquires of 1 ms between 10 s and 20 s, and some slow ones.
private func run(
    slow: Int, took: Int64 = 600, at time: Double = 15, count: Int = 2000,
    parameters: [String: ParameterValue] = [:], _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        AcquireTail.self,
        HistoryBuilder.history { history in
            history.phase("steady", at: s(9))
            for number in 0..<count {
                history.operation(
                    "read", by: number, from: s(10) + Double(number) * 5 - 1, to: s(10) + Double(number) * 5,
                    completion: Completion(acquireNanoseconds: 1_000_000))
            }
            for number in 0..<slow {
                history.operation(
                    "append", by: 5000 + number, from: s(time) - Double(took), to: s(time) + 1,
                    completion: Completion(connection: 4, acquireNanoseconds: took * 1_000_000))
            }
            more(&history)
            history.phase("drain", at: s(21))
        }, Parameters(parameters))
}

@Test func oneSlowAcquireInAThousandIsValid() {
    let result = run(slow: 2)
    #expect(result.verdict == .valid)
    #expect(result.summary.contains("of 2002 acquires outside of faults (limit 500 ms, median 1"))
    #expect(result.measured["count"] == 2002)
}

@Test func moreSlowAcquiresAreAFinding() {
    let result = run(slow: 3)
    #expect(result.verdict == .invalid)
    #expect(result.findings.first?.title.hasSuffix("while no fault was active") == true)
    #expect(result.findings.first?.expected == "at most 500 ms")
    #expect(
        result.findings.first?.seen.hasSuffix("the longest took 600 ms in `append` of worker 5000 on connection 4")
            == true)
    #expect(result.findings.first?.events.count == 3)
    #expect(result.findings.first?.time == 14_401_000_000)
    #expect(run(slow: 3, parameters: ["limit": .duration(.seconds(1))]).verdict == .valid)
}

@Test func acquiresDuringAndAfterAFaultAreLeftOut() {
    let fault: (inout HistoryBuilder) -> Void = { $0.fault(0, inject: s(10.5), heal: s(11)) }
    #expect(run(slow: 30, at: 15.5, count: 4000, fault).verdict == .valid)
    #expect(run(slow: 30, at: 17.5, count: 4000, fault).verdict == .invalid)
    #expect(
        run(slow: 30, at: 15.5, count: 4000, parameters: ["settle": .duration(.seconds(1))], fault).verdict == .invalid)
}

@Test func secondsWithAStallAndThoseAfterAreLeftOut() {
    func stalled(at time: Double) -> Verdict {
        run(slow: 3) { $0.probe("stall", ["late_ns": 900_000_000], at: s(time)) }.verdict
    }
    #expect(stalled(at: 14.9) == .valid)  // the slow ones end at 15 s
    #expect(stalled(at: 12) == .invalid)
}

@Test func whereTheMachineAlwaysStallsTheLongestStallIsAddedToTheLimit() {
    func stalled(_ late: Int64) -> Verdict {
        run(slow: 3) { history in
            for second in 10..<20 { history.probe("stall", ["late_ns": .int(late)], at: s(Double(second) + 0.95)) }
        }.verdict
    }
    #expect(stalled(200_000_000) == .valid)
    #expect(stalled(20_000_000) == .invalid)
}

@Test func aTailNeedsAThousand() {
    let result = run(slow: 9, count: 900)
    #expect(result.verdict == .unknown)
    #expect(result.summary == "not judged: only 909 acquires outside of faults, and p99.9 needs 1000")
    #expect(judge(AcquireTail.self, []).verdict == .unknown)
}
