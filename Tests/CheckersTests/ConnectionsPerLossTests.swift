import Checkers
import RigModel
import Testing

/// Ten connections at the begin, a fault at 5 s, `lost` of them closed at 6 s, `opened` more from 7 s on.
private func run(
    lost: Int = 3, opened: Int = 3, maxOpen: Int = 10, landed: Bool = true,
    _ parameters: [String: ParameterValue] = [:],
    _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        ConnectionsPerLoss.self,
        HistoryBuilder.history { history in
            history.phases()
            history.pool("configured", ["max_open": JSONValue(maxOpen)], at: 0)
            for number in 0..<10 {
                history.pool(
                    "connection-opened", ["conn": JSONValue(number), "pid": JSONValue(100 + number)], at: s(0.1))
            }
            history.fault(0, inject: s(5), heal: s(6), landed: landed)
            for number in 0..<lost {
                history.pool("connection-closed", ["conn": JSONValue(number), "reason": "lost"], at: s(6))
            }
            for number in 0..<opened {
                history.pool(
                    "connection-opened", ["conn": JSONValue(20 + number), "pid": JSONValue(120 + number)], at: s(7))
            }
            more(&history)
        }, Parameters(parameters))
}

@Test func replacingWhatWasLostIsValid() {
    #expect(run(opened: 11).verdict == .valid)  // 2 × 3 + 5
    #expect(run().summary == "3 connections opened for 3 that went, after 1 fault")
}

@Test func openingManyTimesWhatWasLostIsAFinding() {
    let result = run(opened: 12)
    #expect(
        result.findings == [
            Finding(
                title: "12 connections opened after restart #0, for 3 that went",
                expected: "at most 11: 2 for each that went, 0 for which there was room, 5 more",
                seen: "12 opened in 25 s, 12 never used by an operation", events: [14, 20, 21, 22], time: 5_000_000_000,
                activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(run(opened: 12, ["slack": .count(6)]).verdict == .valid)
    #expect(run(opened: 9, ["ratio": .count(1)]).verdict == .invalid)
}

@Test func roomForMoreMayBeFilled() {
    #expect(run(opened: 14, maxOpen: 13).verdict == .valid)
    #expect(run(opened: 15, maxOpen: 13).verdict == .invalid)
}

@Test func connectionThrownAwayUnusedGivesNoRightToAnother() {
    func discarding(_ reason: String, used: Bool) -> Verdict {
        run(opened: 14) { history in
            for number in 20..<32 {
                if used {
                    history.operation(
                        "read", by: number, from: s(7.1), to: s(7.2), completion: Completion(connection: number))
                }
                history.pool("connection-closed", ["conn": JSONValue(number), "reason": .string(reason)], at: s(8))
            }
        }.verdict
    }
    #expect(discarding("unusable", used: false) == .invalid)
    #expect(discarding("max-idle", used: false) == .invalid)
    #expect(discarding("unusable", used: true) == .valid)
    #expect(discarding("lost", used: false) == .valid)
    #expect(discarding("pool-closed", used: true) == .invalid)
}

@Test func sessionsThatThePoolNeverNamedCountAsOpened() {
    let strangers: JSONValue = .array([100] + (0..<10).map { JSONValue(500 + $0) })
    let result = run { $0.probe("session-ended", ["pids": strangers], at: s(8)) }
    #expect(result.verdict == .invalid)
    #expect(result.findings.first?.seen.hasSuffix(", 10 of them never named by the pool") == true)
    // A failed connect may leave one.
    let failed = run { history in
        history.probe("session-ended", ["pids": strangers], at: s(8))
        for _ in 0..<2 { history.pool("connect-failed", ["code": nil], at: s(7)) }
    }
    #expect(failed.verdict == .valid)
    // Behind a pooler the server's numbers are not the pool's.
    let foreign: JSONValue = .array((0..<10).map { JSONValue(500 + $0) })
    #expect(run { $0.probe("session-ended", ["pids": foreign], at: s(8)) }.verdict == .valid)
}

@Test func withoutFaultOrLossNothingIsJudgedOfReplacements() {
    #expect(run(landed: false).summary == "not judged: no fault landed")
    #expect(run(lost: 0, opened: 0).summary == "not judged: no connection was lost after a fault")
}
