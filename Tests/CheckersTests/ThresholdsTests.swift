import Checkers
import RigModel
import Testing

private let p99 = Threshold.Measure.latency(.acquire, quantile: 0.99)

/// Ten operations a second from 0 s to 20 s: each a millisecond to acquire, ten in all; from 10 s to 12 s a fault, in which
/// each takes a second, and every other one fails.
private func run(
    _ thresholds: [String: [Threshold]], _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        Thresholds.self,
        HistoryBuilder.history { history in
            for (name, at) in [("warm-up", 0.0), ("steady", 2), ("faults", 9), ("drain", 20)] {
                history.phase(name, at: s(at))
            }
            history.fault(0, inject: s(10), heal: s(12))
            for number in 0..<200 {
                let at = Double(number) * 100 + 50
                let isSlow = at >= s(10) && at < s(12)
                history.operation(
                    number % 2 == 0 ? "append" : "read", by: number, from: at - (isSlow ? 1000 : 10), to: at,
                    isSlow && number % 2 == 0 ? .fail : .ok,
                    completion: Completion(
                        connection: 1, acquireNanoseconds: isSlow ? 900_000_000 : 1_000_000,
                        queryNanoseconds: 2_000_000, releaseNanoseconds: 500_000))
            }
            more(&history)
        }, Parameters(thresholds.mapValues { .thresholds($0) }))
}

private func one(_ threshold: Threshold) -> InvariantResult { run([threshold.measure.name: [threshold]]) }

@Test func boundsThatAreMetAreValid() {
    let result = run([
        "acquire.p50": [Threshold(.latency(.acquire, quantile: 0.5), .below, 2e6)],
        "errors": [Threshold(.errors(kind: nil), .atMost, 0.05)],
        "throughput": [Threshold(.throughput(kind: nil), .above, 9.4, in: .wholeRun)],
    ])
    #expect(result.verdict == .valid)
    #expect(result.summary == "acquire.p50 983 µs (< 2 ms), errors 5 % (<= 5 %), throughput 9.5/s (> 9.4/s)")
}

@Test func brokenBoundIsAFindingWithTheWorstOperations() {
    let result = one(Threshold(p99, .below, 50e6))
    #expect(result.verdict == .invalid)
    let finding = result.findings.first
    #expect(finding?.title.hasPrefix("acquire.p99 was 8") == true)
    #expect(finding?.expected == "< 50 ms")
    #expect(finding?.seen.hasSuffix("for example `append` of worker 100 on connection 1 of 900 ms") == true)
    #expect(finding?.events.count == 5)
    #expect(finding?.activeFault == "restart #0 (immediate, down for 2 s)")
}

@Test(
    arguments: [
        (Threshold(p99, .below, 2e6, in: .phase("steady")), Verdict.valid),
        (Threshold(p99, .below, 2e6, in: .phase("faults")), .invalid),
        (Threshold(p99, .below, 2e6, in: .outsideFaults), .valid),
        (Threshold(p99, .below, 500e6, in: .fault(kind: nil)), .invalid),
        (Threshold(p99, .below, 1e9, in: .fault(kind: "restart")), .valid),
        (Threshold(p99, .below, 1e9, in: .fault(kind: "freeze")), .unknown),
        (Threshold(p99, .below, 1e9, in: .phase("settle")), .unknown),
        (Threshold(.errors(kind: nil), .below, 0.01, in: .phase("steady")), .valid),
        (Threshold(.errors(kind: "append"), .atMost, 0.1), .valid),
        (Threshold(.errors(kind: "append"), .below, 0.1), .invalid),
        (Threshold(.errors(kind: "read"), .atMost, 0), .valid),
        (Threshold(.errors(kind: "listen"), .atMost, 0), .unknown),
        (Threshold(.throughput(kind: "read"), .atLeast, 5), .valid),
        (Threshold(.throughput(kind: "append"), .atLeast, 5), .invalid),
        (Threshold(.throughput(kind: nil), .atLeast, 10, in: .phase("steady")), .valid),
        (Threshold(.latency(.query, quantile: 1), .below, 3e6), .valid),
        (Threshold(.latency(.release, quantile: 1), .atMost, 0.4e6), .invalid),
        (Threshold(.latency(.operation(kind: nil), quantile: 0.5), .below, 11e6), .valid),
        (Threshold(.latency(.operation(kind: "append"), quantile: 1), .below, 11e6), .valid),
        (Threshold(.latency(.operation(kind: "read"), quantile: 1), .below, 11e6), .invalid),
        (Threshold(p99, .above, 100e6), .valid),
    ])
func eachMeasureIsTakenWhereItsBoundHolds(_ threshold: Threshold, _ verdict: Verdict) {
    let result = one(threshold)
    #expect(result.verdict == verdict, "\(threshold.measure.name) \(threshold.words): \(result.summary)")
}

@Test func severalBoundsOnOneMeasureAreJudgedApart() {
    let result = run(["acquire.p99": [Threshold(p99, .below, 2e6), Threshold(p99, .below, 2e6, in: .phase("steady"))]])
    #expect(result.findings.count == 1)
    #expect(result.measured.arrayValue?.map { $0["meets"] } == [false, true])
}

@Test func timeInWhichTheMachineStoodStillIsLeftOut() {
    let bound = ["acquire.max": [Threshold(.latency(.acquire, quantile: 1), .below, 950e6)]]
    func slow(_ history: inout HistoryBuilder) {
        history.operation(
            "read", by: 900, from: s(4), to: s(5.5), completion: Completion(acquireNanoseconds: 1_500_000_000))
    }
    #expect(run(bound) { slow(&$0) }.verdict == .invalid)
    #expect(
        run(bound) { history in
            slow(&history)
            history.probe("stall", ["late_ns": 1_400_000_000], at: s(5.45))
        }.verdict == .valid)
}

@Test func withoutBoundsOrOperationsThereIsNothingToJudge() {
    #expect(run([:]).summary == "not judged: the scenario names no threshold")
    let empty = judge(Thresholds.self, [], Parameters(["acquire.p99": .thresholds([Threshold(p99, .below, 1)])]))
    #expect(empty.summary == "not judged: nothing was measured for acquire.p99")
}
