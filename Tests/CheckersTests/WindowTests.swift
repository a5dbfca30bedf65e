import Checkers
import RigModel
import Testing

// A window of a soak: what was open before has an age, and the pool lives on after it.

@Test func callsOfAWindowAreJudgedWithoutAClose() {
    func run(_ end: String) -> InvariantResult {
        judge(
            Timeouts.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["acquire_timeout_ns": 1_000_000_000], at: 0)
                history.operation("read", by: 1, from: 1, to: 5, completion: Completion(acquireNanoseconds: 1_000_000))
                history.pool(end, end == "closed" ? ["took_ns": 5, "limit_ns": 10] : .null, at: s(31))
                history.phase("end", at: s(32))
            })
    }
    #expect(run("kept").verdict == .valid)
    #expect(run("closed").verdict == .valid)
    #expect(run("other").verdict == .unknown)
}

@Test func ageOfAConnectionBeforeTheWindowCounts() {
    func run(age: Int64) -> InvariantResult {
        judge(
            ConnectionLifetime.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["max_lifetime_ns": 60_000_000_000], at: 0)
                history.pool(
                    "connection-opened", ["conn": 1, "pid": 101, "age_ns": .int(age * 1_000_000_000)], at: 0)
                history.pool("gauges", ["open": 1, "idle": 1, "in_use": 0], at: s(30))
            })
    }
    #expect(run(age: 10).verdict == .unknown)
    #expect(run(age: 31).verdict == .valid)
    #expect(run(age: 40).verdict == .invalid)
}

@Test func leakOfAWindowNamesAConnectionThatIsOlderThanItsHistory() {
    let result = judge(
        ZeroLeakedConnections.self,
        HistoryBuilder.history { history in
            history.pool("connection-opened", ["conn": 7, "pid": 107, "age_ns": 90_000_000_000], at: 0)
            history.probe(
                "books",
                [
                    "at": "quiesced", "pool": ["open": 1, "in_use": 1, "idle": 0],
                    "leases": [["conn": 7, "pid": 107, "site": "a:1", "held_ns": 5_000_000_000]],
                ], at: s(30))
            history.pool("kept", .null, at: s(31))
        })
    #expect(result.findings.first?.seen.contains("opened before this history began, ") == true)
    #expect(result.findings.count == 1)
}

@Test func countersOfAWindowInWhichNothingWasOpenedAreComparedToo() {
    func run(_ opened: Int64) -> InvariantResult {
        judge(
            HonestCounters.self,
            HistoryBuilder.history { history in
                history.pool("connection-opened", ["conn": 1, "pid": 101, "age_ns": 5], at: 0)
                history.operation("read", by: 1, from: 1, to: 5, completion: Completion(acquireNanoseconds: 1))
                history.pool(
                    "metrics", ["at": "quiesced", "counters": ["connectsOpened": .int(opened)]], at: s(30))
            })
    }
    #expect(run(0).verdict == .valid)
    #expect(run(3).verdict == .invalid)
}
