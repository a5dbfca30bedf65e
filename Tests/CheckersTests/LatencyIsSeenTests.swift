import Checkers
import RigModel
import Testing

/// An operation every 20 ms that takes 10 ms, and `during` in the fault from 5 s to 8 s; `nil`: none at all.
private func run(
    _ kind: String = "latency", _ detail: String = "50 ms each way",
    evidence: JSONValue = ["round_trip_before_ms": 0.2, "round_trip_during_ms": 100.2], landed: Bool = true,
    open: Bool = false, during: Double? = 110, ended: Event.Kind = .ok, steady: Bool = true
) -> InvariantResult {
    judge(
        LatencyIsSeen.self,
        HistoryBuilder.history { history in
            if steady { history.phases() }
            history.pool(
                "configured", ["acquire_timeout_ns": 2_000_000_000, "statement_timeout_ns": 5_000_000_000], at: 0)
            history.fault(0, kind, detail, inject: s(5), heal: s(8), landed: landed, evidence: evidence)
            for step in 0..<500 {
                let time = Double(step) * 20
                let isDuring = time >= s(5) && time < s(8)
                guard let took = isDuring ? during : 10 else { continue }
                history.operation(
                    "read", by: step, from: time, to: time + took, isDuring ? ended : .ok,
                    completion: Completion(lagNanoseconds: open ? 0 : nil))
            }
        })
}

@Test func delayThatShowsInTheLatenciesIsValid() {
    let result = run()
    #expect(result.verdict == .valid)
    #expect(result.summary.hasPrefix("latency showed latency #0 in 11"))
    #expect(
        run(
            "slow-statements", evidence: ["read_before_ms": 1, "read_ms": 51, "insert_before_ms": 1, "insert_ms": 91],
            during: 60
        ).verdict == .valid)
}

@Test func delayThatDoesNotShowIsAFinding() {
    let result = run(during: 30)
    #expect(result.verdict == .invalid)
    #expect(result.findings.map(\.title) == ["latency #0 does not show in the rig's own latencies"])
    #expect(result.findings.first?.expected.hasSuffix("50 % of the proven delay of 100 ms") == true)
    #expect(result.findings.first?.seen.hasSuffix("over 150 operations") == true)
}

@Test func standstillThatShowsIsValid() {
    #expect(run("freeze", "server", during: 1500, ended: .fail).verdict == .valid)
    // The shortest limit is what a call may take.
    #expect(run("blackhole", "both ways", during: 1100, ended: .info).verdict == .valid)
}

@Test func standstillThatHeldUpTheLoadAndDoesNotShowIsAFinding() {
    let result = run("freeze", "server", during: 300, ended: .fail)
    #expect(result.findings.first?.expected == "an operation of at least 1 s")
    #expect(
        result.findings.first?.seen.hasPrefix("nothing succeeded for 3 s, but the longest operation took 3") == true)
}

@Test func standstillOfAPartSaysNothing() {
    let result = run("freeze", "one backend", during: 12)
    #expect(result.verdict == .unknown)
    #expect(result.summary.hasPrefix("not judged: freeze #0: the load went on, and nothing took longer than 1"))
    #expect(
        run("freeze", "postmaster", during: 12).summary
            == "not judged: no fault that freezes or slows the server landed")
}

@Test func rigThatStopsCountingWhileTheServerStandsStillIsAFinding() {
    let result = run("freeze", "server", open: true, during: nil)
    #expect(result.verdict == .invalid)
    #expect(
        result.findings.first?.seen.hasSuffix(": the rig stopped counting while the server stood still") == true)
    // Clients that wait for their answers ask nothing meanwhile: no schedule, no expectation.
    #expect(run("freeze", "server", open: false, during: nil).findings.first?.seen.contains("counting") != true)
}

@Test func withoutFaultProofOrBaselineNoLatencyIsJudged() {
    #expect(run(landed: false).summary == "not judged: no fault that freezes or slows the server landed")
    #expect(run("restart").summary == "not judged: no fault that freezes or slows the server landed")
    #expect(run(evidence: "slow").summary == "not judged: latency #0: its proof tells no delay")
    #expect(run(during: nil).summary == "not judged: latency #0: only 0 operations due meanwhile")
    #expect(run(steady: false).summary == "not judged: there was no steady phase to compare with")
}
