import Checkers
import RigModel
import Testing

extension HistoryBuilder {
    /// Asked at `asked`, served at `served`, done a millisecond later; never served when `served` is `nil`: gave up at `until`.
    fileprivate mutating func wait(by worker: Int, from asked: Double, served: Double?, until: Double = 0) {
        let end = served ?? until
        operation(
            "read", by: worker, from: asked, to: end + 1, served == nil ? .fail : .ok,
            completion: Completion(
                connection: served == nil ? nil : 3, acquireNanoseconds: Int64((end - asked) * 1e6),
                error: served == nil
                    ? FailureDescription(phase: .acquire, failureClass: "timed-out", code: nil, message: "") : nil,
                leasedAt: served.map { Int64($0 * 1e6) }))
    }
}

/// Worker 9 asks at 1 s and waits; others ask every 5 ms from `others` on and wait 3 ms.
private func run(
    served: Double? = nil, until: Double = 3000, others: Double = 1001, othersTo: Double = 4000, pools: Int = 1,
    parameters: [String: ParameterValue] = [:], _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        FairQueue.self,
        HistoryBuilder.history { history in
            history.pool("configured", ["max_open": 10, "instances": JSONValue(pools)], at: 0)
            history.phase("steady", at: 0)
            history.wait(by: 9, from: 1000, served: served, until: until)
            var at = others
            var worker = 100
            while at < othersTo {
                history.wait(by: worker, from: at, served: at + 3)
                at += 5
                worker += 1
            }
            more(&history)
            history.phase("drain", at: 5000)
        }, Parameters(parameters))
}

@Test func servedInTurnIsValid() {
    // All that are served before it had asked before it.
    let result = judge(
        FairQueue.self,
        HistoryBuilder.history { history in
            for number in 0..<400 {
                history.wait(by: number, from: Double(number), served: 1000 + Double(number) * 2)
            }
        })
    #expect(result.verdict == .valid)
    #expect(result.summary == "400 clients waited, at most 1.4 s; overtaken by at most 0 clients")
}

@Test func waiterWhoIsOvertakenByManyIsAFinding() {
    // Window of 1.1 s to 1.9 s: 160 are served, none of them had asked before 1.1 s but one.
    let result = run(served: 2000, parameters: ["factor": .count(1000)])
    #expect(result.verdict == .invalid)
    #expect(
        result.findings.first?.title
            == "A client starved in the queue: at least 159 that asked later were served before it"
    )
    #expect(result.findings.first?.seen == "`read` of worker 9 on connection 3: waited 1 s and was served")
    #expect(result.findings.first?.time == 1_000_000_000)
    #expect(run(served: 2000, parameters: ["overtaken": .count(159), "factor": .count(1000)]).verdict == .valid)
    #expect(run(served: 2000, parameters: ["overtaken": .count(158), "factor": .count(1000)]).verdict == .invalid)
}

@Test func waiterWhoGaveUpWhileOthersWereServedStarvedToo() {
    let result = run()
    #expect(result.findings.contains { $0.seen.hasSuffix("waited 2 s and gave up") && $0.title.contains("starved") })
}

@Test func aPoolThatServesNobodyIsNotUnfair() {
    #expect(run(others: 3000).verdict == .valid)
}

@Test func ownDelayAndStallsOfTheMachineDoNotCount() {
    #expect(run(served: 1200, parameters: ["overtaken": .count(0)]).verdict == .valid)
    let parameters: [String: ParameterValue] = ["overtaken": .count(0), "factor": .count(1000)]
    #expect(run(served: 1300, parameters: parameters).verdict == .invalid)
    #expect(
        run(served: 1300, parameters: parameters) { $0.probe("stall", ["late_ns": 100_000_000], at: 1250) }.verdict
            == .valid)
}

@Test func waitFarBeyondTheMedianIsAFindingOutsideOfFaults() {
    let parameters: [String: ParameterValue] = ["overtaken": .count(10_000), "factor": .count(50)]
    let result = run(served: 1600, parameters: parameters)
    #expect(result.verdict == .invalid)
    #expect(result.findings.first?.title.hasPrefix("A client waited 600 ms while half of the others waited 3") == true)
    #expect(result.findings.first?.expected == "at most 500 ms")
    #expect(run(served: 1500, parameters: parameters).verdict == .valid)
    #expect(run(served: 1600, parameters: parameters) { $0.fault(0, inject: 500, heal: 600) }.verdict == .valid)
}

@Test func queuesOfSeveralPoolsAreNotTold() {
    let result = run(served: 1300, pools: 2)
    #expect(result.verdict == .unknown)
    #expect(result.summary.hasPrefix("not judged: 2 pools have a queue each"))
}

@Test func withoutAWaitThereIsNothingToJudge() {
    let quick = judge(FairQueue.self, HistoryBuilder.history { $0.wait(by: 1, from: 1, served: 1.5) })
    #expect(quick.summary == "not judged: nobody ever had to wait for a connection")
    let silent = judge(
        FairQueue.self,
        HistoryBuilder.history {
            $0.operation("read", by: 1, from: 1, to: 9, completion: Completion(acquireNanoseconds: 5_000_000))
        })
    #expect(silent.summary == "not judged: no client told when it got its connection")
}
