import Checkers
import RigModel
import Testing

/// A connection that took so many milliseconds to open, with a limit of 1 s.
private func run(took: Int64, age: Int64? = nil, limit: JSONValue = 1_000_000_000) -> InvariantResult {
    judge(
        Timeouts.self,
        HistoryBuilder.history { history in
            history.pool("configured", ["acquire_timeout_ns": 1_000_000_000, "connect_timeout_ns": limit], at: 0)
            var opened: [JSONValue.Member] = [.init("conn", 7), .init("took_ns", .int(took * 1_000_000))]
            if let age { opened.append(.init("age_ns", .int(age))) }
            history.pool("connection-opened", .object(opened), at: s(5))
            history.operation("read", by: 1, from: 1, to: 5, completion: Completion(acquireNanoseconds: 1_000_000))
            history.pool("closed", ["took_ns": 5, "limit_ns": 10], at: s(31))
            history.phase("end", at: s(32))
        })
}

@Test func connectPastItsLimitIsAFinding() {
    #expect(run(took: 1250).verdict == .valid)
    let result = run(took: 1251)
    #expect(result.findings.map(\.title) == ["A connect took 1.25 s"])
    #expect(result.findings.first?.seen == "1.25 s until connection 7 was open")
    #expect(result.findings.first?.time == 3_749_000_000)
    // It was opened before this history began.
    #expect(run(took: 9000, age: 1).verdict == .valid)
    #expect(run(took: 9000, limit: .null).summary.contains("connect at most 9 s (no limit told: not judged)"))
}
