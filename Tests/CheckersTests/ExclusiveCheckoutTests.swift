import Checkers
import RigModel
import Testing

/// A use: times in milliseconds. It began to give back `release` before `returned`.
private struct Use {
    var worker: Int
    var connection = 7
    var pid: Int? = 70
    var leased: Double?
    var returned: Double?
    var release: Double = 0
}

private func run(_ uses: [Use]) -> InvariantResult {
    judge(
        ExclusiveCheckout.self,
        HistoryBuilder.history { history in
            for use in uses {
                history.operation(
                    "append", by: use.worker, from: (use.leased ?? 0) - 0.5, to: (use.returned ?? 100) + 0.5,
                    completion: Completion(
                        connection: use.connection, backendPID: use.pid, releaseNanoseconds: Int64(use.release * 1e6),
                        leasedAt: use.leased.map { Int64($0 * 1e6) }, returnedAt: use.returned.map { Int64($0 * 1e6) }))
            }
            history.fault(0, inject: 14, heal: 100)
        })
}

@Test func oneHolderAfterTheOtherIsValid() {
    // The second gets it while the first still waits for the release to end.
    let result = run([
        Use(worker: 1, leased: 10, returned: 20, release: 5), Use(worker: 2, leased: 15, returned: 30),
        Use(worker: 3, leased: 30, returned: 40), Use(worker: 4, connection: 8, leased: 12, returned: 18),
    ])
    #expect(result.verdict == .valid)
    #expect(result.summary == "4 uses of 2 connections")
}

@Test func twoHoldersAtOnceAreAFinding() {
    let result = run([Use(worker: 1, leased: 10, returned: 20, release: 4), Use(worker: 2, leased: 15, returned: 30)])
    #expect(
        result.findings == [
            Finding(
                title: "Connection 7 was held by two clients at once", expected: "one holder at a time",
                seen: "worker 1 from 10 ms for 6 ms, and worker 2 from 15 ms for 15 ms (pid 70): both for 1 ms",
                events: [4, 5], time: 15_000_000, activeFault: "restart #0 (immediate, down for 2 s)")
        ])
}

@Test func holderWithinAnotherIsFoundHoweverLongAgoThatBegan() {
    let result = run([
        Use(worker: 1, leased: 10, returned: 90), Use(worker: 2, leased: 20, returned: 25),
        Use(worker: 3, leased: 80, returned: 85),
    ])
    #expect(result.measured["overlaps"] == 2)
}

@Test func sameNumberInAnotherPoolIsAnotherConnection() {
    #expect(
        run([Use(worker: 1, leased: 10, returned: 20), Use(worker: 2, pid: 71, leased: 15, returned: 30)]).verdict
            == .valid)
}

@Test func withoutTimesThereIsNothingToJudge() {
    #expect(run([Use(worker: 1), Use(worker: 2, leased: 3)]).verdict == .unknown)
    #expect(run([]).summary == "not judged: no client told when it got and gave back its connection")
}

@Test func longRunsKeepTheirTimes() {
    // An hour of uses: differences are written in as few bytes as they need.
    var uses = (0..<2000).map { Use(worker: $0 % 7, leased: Double($0) * 1800 + 1, returned: Double($0) * 1800 + 1700) }
    #expect(run(uses).verdict == .valid)
    uses.append(Use(worker: 9, leased: 1799 * 1800 + 5, returned: 1799 * 1800 + 6))
    #expect(run(uses).findings.first?.seen.contains("worker 9 from 53 min 58 s for 1 ms") == true)
}
