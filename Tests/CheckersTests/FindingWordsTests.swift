import Checkers
import RigModel
import Testing

// Findings that say who, when, and during which fault.

/// Connection 2 was closed as lost at 10.2 s, during a freeze; the server still has its session when the run is quiet.
private func forgottenSession(_ pid: Int) -> Finding? {
    judge(
        ZeroLeakedConnections.self,
        HistoryBuilder.history { history in
            history.fault(0, "freeze", "for 1 s", inject: s(10), heal: s(11))
            for number in 1...3 {
                history.pool(
                    "connection-opened", ["conn": JSONValue(number), "pid": JSONValue(100 + number)], at: s(1))
            }
            history.operation(
                "append", by: 4, from: s(9.9), to: s(10.1), .info, completion: Completion(connection: 2))
            history.pool("connection-closed", ["conn": 2, "pid": 102, "reason": "lost"], at: s(10.2))
            let pids: [JSONValue] = [101, JSONValue(pid), 103]
            history.probe(
                "books",
                [
                    "at": "quiesced", "pool": ["open": 2, "in_use": 0, "idle": 2], "leases": [], "client_sockets": 2,
                    "server_sessions": 3,
                    "sessions": .array(pids.map { ["pid": $0, "state": "idle", "query": ""] }),
                ], at: s(30))
        }
    ).findings.first
}

@Test func sessionThatThePoolForgotIsNamedWithItsLifeAndTheFaultOfItsEnd() {
    let finding = forgottenSession(102)
    #expect(finding?.title == "The server keeps 1 session without a socket in this process")
    #expect(
        finding?.seen.hasSuffix(
            "pid 102 was connection 2, closed as lost at 10.2 s, opened at 1 s, named by 1 operation; last used by "
                + "`append` of worker 4, which ended in info at 10.1 s") == true)
    #expect(finding?.activeFault == "freeze #0 (for 1 s)")
    #expect(finding?.time == 10_200_000_000)
    // The opening, the operation, the close and the book.
    #expect(finding?.events.count == 5)
    // A session that was never the pool's has no life.
    #expect(forgottenSession(777)?.time == s30)
    #expect(forgottenSession(777)?.events.count == 1)
}

private let s30: Int64 = 30_000_000_000

@Test func leaseOfWhichNobodyToldForHowLongIsNotDated() {
    let result = judge(
        ZeroLeakedConnections.self,
        HistoryBuilder.history { history in
            history.fault(0, inject: s(1), heal: s(40))
            history.pool("connection-opened", ["conn": 7], at: 0)
            history.probe(
                "books",
                [
                    "at": "quiesced", "pool": ["open": 1, "in_use": 1, "idle": 0], "leases": [["conn": 7]],
                ], at: s(30))
        })
    let finding = result.findings.first { $0.title.contains("never given back") }
    #expect(finding?.time == nil)
    #expect(finding?.activeFault == "unknown: nobody told when it was borrowed")
    #expect(finding?.seen.contains("held for a time that nobody told") == true)
}

/// 250 acquires of a second while a fault is active, and quick ones but 30 of 700 ms in `steady`.
private func acquires() -> [Event] {
    HistoryBuilder.history { history in
        history.phases()
        history.fault(0, inject: s(5), heal: s(15))
        for number in 0..<250 {
            let at = s(6) + Double(number) * 20
            history.operation(
                "append", by: number, from: at, to: at + 1000,
                completion: Completion(connection: 1, acquireNanoseconds: 1_000_000_000))
        }
        for number in 0..<2000 {
            let slow = number % 50 == 10
            let at = s(21) + Double(number) * 4
            history.operation(
                "append", by: 1000 + number, from: at, to: at + (slow ? 700 : 1),
                completion: Completion(connection: 1, acquireNanoseconds: slow ? 700_000_000 : 1_000_000))
        }
    }
}

@Test func slowAcquiresOfAFaultDoNotPushOutThoseThatAreShown() {
    let bound = Threshold(.latency(.acquire, quantile: 0.99), .below, 50e6, in: .phase("settle"))
    let results = [
        judge(Thresholds.self, acquires(), Parameters(["acquire.p99": .thresholds([bound])])),
        judge(AcquireTail.self, acquires()),
    ]
    for result in results {
        #expect(result.verdict == .invalid)
        #expect(result.findings.first?.events.count == 5)
        #expect((result.findings.first?.time).map { $0 > 20_000_000_000 } == true)
        #expect(result.findings.first?.activeFault.hasPrefix("none") == true)
    }
}
