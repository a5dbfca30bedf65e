import Checkers
import RigModel
import Testing

/// Ten operations a second from 0 s to 20 s, each 10 ms from its schedule and a millisecond to acquire; and some that were never
/// started.
private func one(_ threshold: Threshold, dropped: [(count: Int, at: Double)]) -> InvariantResult {
    judge(
        Thresholds.self,
        HistoryBuilder.history { history in
            for (name, at) in [("warm-up", 0.0), ("steady", 2), ("settle", 15), ("drain", 20)] {
                history.phase(name, at: s(at))
            }
            for number in 0..<200 {
                let at = Double(number) * 100 + 50
                history.operation(
                    number % 2 == 0 ? "append" : "read", by: number, from: at - 10, to: at,
                    completion: Completion(connection: 1, acquireNanoseconds: 1_000_000))
            }
            for drop in dropped { history.probe("dropped", ["operations": JSONValue(drop.count)], at: s(drop.at)) }
        }, Parameters([threshold.measure.name: .thresholds([threshold])]))
}

private let p99 = Threshold.Measure.latency(.acquire, quantile: 0.99)
private let p50 = Threshold.Measure.latency(.operation(kind: "append"), quantile: 0.5)
private let errors = Threshold.Measure.errors(kind: nil)

@Test(
    arguments: [
        (Threshold(p99, .below, 1e9), 0, Verdict.valid),
        (Threshold(p99, .below, 1e9), 2, .valid),
        (Threshold(p99, .below, 1e9), 3, .unknown),
        (Threshold(p99, .below, 1e9, in: .phase("steady")), 3, .unknown),
        (Threshold(p99, .below, 1e9, in: .phase("settle")), 3, .valid),
        (Threshold(p99, .below, 1e9, in: .outsideFaults), 3, .unknown),
        (Threshold(p99, .below, 0.5e6), 1000, .invalid),
        (Threshold(p50, .below, 1e9), 99, .valid),
        (Threshold(p50, .below, 1e9), 101, .unknown),
        (Threshold(p50, .above, 1e6), 99, .valid),
        (Threshold(p50, .above, 1e6), 101, .unknown),
        (Threshold(.latency(.acquire, quantile: 1), .below, 1e9), 1, .unknown),
        (Threshold(errors, .below, 0.01), 2, .valid),
        (Threshold(errors, .below, 0.01), 3, .invalid),
        (Threshold(errors, .below, 0.01, in: .phase("settle")), 3, .valid),
        (Threshold(.errors(kind: "read"), .below, 0.05), 5, .valid),
        (Threshold(.errors(kind: "read"), .below, 0.05), 6, .unknown),
        (Threshold(.errors(kind: "listen"), .below, 0.05), 6, .unknown),
        (Threshold(.throughput(kind: nil), .above, 9), 1000, .valid),
        (Threshold(.throughput(kind: nil), .above, 11), 1000, .invalid),
    ])
func whatWasNeverStartedCanBreakABound(_ threshold: Threshold, _ dropped: Int, _ verdict: Verdict) {
    let result = one(threshold, dropped: [(dropped, 5.1)])
    #expect(result.verdict == verdict, "\(threshold.measure.name) \(threshold.words): \(result.summary)")
}

@Test func whatWasDroppedIsNamed() {
    let open = one(Threshold(p99, .below, 1e9), dropped: [(1000, 5), (800, 6)])
    #expect(
        open.summary == "not judged: 1800 of 2000 scheduled operations were never started, which could have broken "
            + "acquire.p99 (983 µs of those that ran)")
    #expect(open.measured.arrayValue?.first?["meets"] == .null)
    let lost = one(Threshold(errors, .below, 0.01), dropped: [(1000, 5), (800, 6)])
    #expect(lost.findings.first?.title == "errors was 90 %")
    #expect(lost.findings.first?.seen == "90 %; 1800 of 2000 scheduled operations were never started")
    #expect(lost.findings.first?.events.count == 1)
}

@Test func whatIsDroppedAtTheEndBelongsToTheEndOfTheLoad() {
    let late = [(count: 300, at: 20.5)]
    for scope in [Threshold.Scope.wholeRun, .phase("settle"), .outsideFaults] {
        #expect(one(Threshold(errors, .below, 0.01, in: scope), dropped: late).verdict == .invalid)
        #expect(one(Threshold(p99, .below, 1e9, in: scope), dropped: late).verdict == .unknown)
    }
    #expect(one(Threshold(errors, .below, 0.01, in: .phase("steady")), dropped: late).verdict == .valid)
}
