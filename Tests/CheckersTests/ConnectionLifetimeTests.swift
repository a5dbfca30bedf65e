import Checkers
import RigModel
import Testing

private let limits: JSONValue = ["max_lifetime_ns": 10_000_000_000, "max_lifetime_jitter_ns": 1_000_000_000]

/// A connection that lives from 1 s on until it is closed for its age; the history ends at 32 s.
private func run(
    closed: Double? = 11, reason: String = "max-lifetime", leased: Double? = nil, returned: Double? = nil,
    configured: JSONValue = limits, tolerance: Duration? = nil, _ more: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        ConnectionLifetime.self,
        HistoryBuilder.history { history in
            history.phases()
            history.pool("configured", configured, at: 0)
            history.pool("connection-opened", ["conn": 3, "pid": 7, "took_ns": 1], at: s(1))
            if let leased {
                history.operation(
                    "append", by: 4, from: s(leased) - 1, to: s(returned ?? leased + 1),
                    completion: Completion(
                        connection: 3, leasedAt: Int64(leased * 1e9), returnedAt: returned.map { Int64($0 * 1e9) }))
            }
            if let closed {
                history.pool("connection-closed", ["conn": 3, "pid": 7, "reason": .string(reason)], at: s(closed))
            }
            more(&history)
        }, Parameters(tolerance.map { ["tolerance": .duration($0)] } ?? [:]))
}

@Test func connectionRetiredInItsTimeIsValid() {
    #expect(run().verdict == .valid)
    #expect(run(closed: 13).verdict == .valid)  // the bound itself: 1 + 10 + 2 s
    #expect(
        run().summary == "1 connection of 1 retired for their age, the oldest was 10 s (max-lifetime 10 s)")
}

@Test func connectionKeptTooLongIsAFinding() {
    let result = run(closed: 13.5) { $0.fault(0, inject: s(12), heal: s(13)) }
    #expect(
        result.findings == [
            Finding(
                title: "Connection 3 was kept until it was 12.5 s old",
                expected: "closed at the age of 10 s + 2 s, or when its borrower gave it back",
                seen: "closed at 13.5 s (max-lifetime)", events: [3, 8], time: 11_000_000_000,
                activeFault: "restart #0 (immediate, down for 2 s)")
        ])
    #expect(run(closed: nil).findings.first?.seen == "never closed")
    #expect(run(closed: 13.5, tolerance: .seconds(3)).verdict == .valid)
}

@Test func leaseThatIsOutCountsUntilItsReturn() {
    #expect(run(closed: 22, leased: 10, returned: 20).verdict == .valid)
    #expect(run(closed: 22.1, leased: 10, returned: 20).verdict == .invalid)
    // Never given back: that is a leak, not a lifetime.
    #expect(run(closed: nil, leased: 10, returned: nil).verdict == .valid)
}

@Test func connectionLentOutPastItsTimeIsAFinding() {
    #expect(run(closed: 14, leased: 13, returned: 13.5).verdict == .valid)
    let result = run(closed: 14, leased: 13.1, returned: 13.5)
    #expect(result.findings.map(\.title) == ["Connection 3 was lent out 12.1 s old"])
    #expect(result.findings.first?.seen == "lent out at 13.1 s")
}

@Test func retiringBeforeTheLongestJitterIsAFinding() {
    #expect(run(closed: 10).verdict == .valid)
    let result = run(closed: 9.5) { history in
        history.pool("connection-opened", ["conn": 4], at: s(10))
        history.pool("connection-closed", ["conn": 4, "reason": "max-lifetime"], at: s(20))
    }
    #expect(result.findings.map(\.title) == ["Connection 3 was retired for its age when it was 8.5 s old"])
    #expect(result.findings.first?.expected == "not before 9 s")
    #expect(run(closed: 9.5, reason: "lost") { $0.pool("connection-opened", ["conn": 4], at: s(21)) }.verdict == .valid)
}

@Test func stallIsAddedToTheAge() {
    #expect(run(closed: 13.5) { $0.probe("stall", ["late_ns": 600_000_000], at: s(12)) }.verdict == .valid)
    #expect(run(closed: 13.5) { $0.probe("stall", ["late_ns": 400_000_000], at: s(12)) }.verdict == .invalid)
}

@Test func withoutLimitOrOldConnectionsNoAgeIsJudged() {
    #expect(run(configured: [:]).summary == "not judged: the pool told no max-lifetime")
    #expect(
        run(closed: 4, reason: "lost").summary == "not judged: no connection grew old enough: the oldest was 3 s")
}
