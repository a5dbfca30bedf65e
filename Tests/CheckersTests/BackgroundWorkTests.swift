import Checkers
import RigModel
import Testing

private func gauges(_ open: Int, inUse: Int = 0, waiting: Int = 0) -> JSONValue {
    [
        "open": JSONValue(open), "idle": JSONValue(open - inUse), "in_use": JSONValue(inUse),
        "waiting": JSONValue(waiting),
    ]
}

/// Gauges every 100 ms until 30 s: whole, but for `short` (seconds), in which four are open; a fault from 5 s to 6 s.
private func run(
    short: Range<Double> = 5.5..<6.5, minIdle: Int = 8, open: Int = 10, inUse: Int = 0,
    more limits: [String: Int64] = [:],
    heal: Double? = 6, until end: Double = 30, landed: Bool = true, _ body: (inout HistoryBuilder) -> Void = { _ in }
) -> InvariantResult {
    judge(
        BackgroundWork.self,
        HistoryBuilder.history { history in
            history.phases()
            var configured: [JSONValue.Member] = [.init("max_open", 10), .init("min_idle", JSONValue(minIdle))]
            configured += limits.sorted { $0.key < $1.key }.map { .init($0.key, .int($0.value)) }
            history.pool("configured", .object(configured), at: 0)
            history.fault(0, inject: s(5), heal: heal.map(s), landed: landed)
            for step in 0..<Int(end * 10) {
                let time = Double(step) / 10
                history.pool("gauges", gauges(short.contains(time) ? 4 : open, inUse: inUse), at: s(time))
            }
            body(&history)
        })
}

@Test func poolThatRefillsByItselfIsValid() {
    #expect(run().summary == "after 1 fault: below min-idle 8 for at most 400 ms outside faults (limit 5 s)")
    #expect(run(short: 5.5..<11.1).verdict == .valid)  // the bound itself: seen short until 11 s
}

@Test func poolThatStaysShortIsAFinding() {
    let result = run(short: 5.5..<11.2)
    #expect(result.verdict == .invalid)
    #expect(
        result.findings.map(\.title) == ["The pool did not get back to min-idle"])
    #expect(result.findings.first?.expected == "8 connections that nobody holds, within 5 s")
    #expect(result.findings.first?.seen == "too few for 5.6 s, of which 5.1 s without a fault; 4 at the end")
    #expect(result.findings.first?.activeFault == "restart #0 (immediate, down for 2 s)")
    #expect(run(short: 5.5..<40).verdict == .invalid)
}

@Test func whatIsInUseNeedsNoIdleConnectionsBesideIt() {
    // Max-open leaves no room for more than these.
    #expect(run(short: 0..<0, open: 10, inUse: 6).verdict == .valid)
    #expect(run(short: 0..<0, open: 9, inUse: 6).verdict == .invalid)
}

@Test func timeOfAnotherFaultAndOfAStallDoesNotCount() {
    #expect(run(short: 5.5..<12) { $0.fault(1, inject: s(7), heal: s(8)) }.verdict == .valid)
    #expect(run(short: 5.5..<12) { $0.probe("stall", ["late_ns": 1_000_000_000], at: s(9)) }.verdict == .valid)
    #expect(run(short: 5.5..<12) { $0.probe("stall", ["late_ns": 500_000_000], at: s(9)) }.verdict == .invalid)
}

@Test func closingThePoolIsNoShortage() {
    let result = run(until: 20) { history in
        history.phase("drain", at: s(20))
        history.pool("connection-closed", ["conn": 1, "reason": "pool-closed"], at: s(20))
        for step in 0..<100 { history.pool("gauges", gauges(0), at: s(21) + Double(step) * 100) }
    }
    #expect(result.verdict == .valid)
}

@Test func idleConnectionsThatNobodyUsesAreClosed() {
    let limit: [String: Int64] = ["max_idle_time_ns": 2_000_000_000]
    #expect(run(open: 8, more: limit).verdict == .valid)
    let kept = run(open: 10, more: limit)
    #expect(kept.findings.first?.title == "The pool kept 2 idle connections that nobody used")
    #expect(kept.findings.first?.expected == "closed when idle for 2 s + 5 s, down to 8")
    // Somebody used one every now and then.
    let used = run(open: 10, more: limit) { history in
        for second in 0..<30 { history.operation("read", by: 1, from: s(Double(second)), to: s(Double(second)) + 1) }
    }
    #expect(used.verdict == .valid)
    let probed = run(open: 10, more: limit) { history in
        for second in 0..<10 {
            history.probe("lone-use", ["took_ns": 1_000_000, "outcome": "ok"], at: s(Double(second) * 3))
        }
    }
    #expect(probed.verdict == .valid)
}

@Test func connectionsGoOnBeingRetiredAfterAFault() {
    let limit: [String: Int64] = ["max_lifetime_ns": 10_000_000_000]
    func closed(at time: Double) -> InvariantResult {
        run(more: limit) { history in
            history.pool("connection-opened", ["conn": 3], at: s(1))
            history.pool("connection-closed", ["conn": 3, "reason": "max-lifetime"], at: s(time))
        }
    }
    #expect(closed(at: 16).verdict == .valid)
    #expect(closed(at: 16.1).findings.map(\.title) == ["Connection 3 was kept until it was 15.1 s old"])
}

@Test func withoutFaultOrBackgroundWorkNothingIsJudgedOfIt() {
    #expect(run(landed: false).summary == "not judged: no fault landed and was healed")
    #expect(
        run(minIdle: 0).summary
            == "not judged: the pool has neither min-idle nor max-idle-time nor max-lifetime: there is nothing to be done"
    )
    #expect(
        run(short: 5.5..<9, until: 8).summary == "not judged: the pool was watched for only 1.9 s after the last heal")
}

@Test func timeInWhichNobodyLookedCountsForNothing() {
    func run(every step: Double) -> Verdict {
        judge(
            BackgroundWork.self,
            HistoryBuilder.history { history in
                history.phases()
                history.pool("configured", ["max_open": 10, "min_idle": 8], at: 0)
                history.fault(0, inject: s(5), heal: s(6))
                // Short from 7 s to 15 s.
                for time in stride(from: 7, through: 15, by: step) { history.pool("gauges", gauges(4), at: s(time)) }
                for time in stride(from: 15.1, through: 29, by: 0.1) { history.pool("gauges", gauges(10), at: s(time)) }
            }
        ).verdict
    }
    #expect(run(every: 4) == .valid)
    #expect(run(every: 0.25) == .invalid)
}
