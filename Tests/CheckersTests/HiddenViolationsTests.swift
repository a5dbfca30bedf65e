import Checkers
import RigModel
import Testing

// Violations that something else in the same history must not hide.

private func gauges(_ open: Int) -> JSONValue {
    ["open": JSONValue(open), "idle": JSONValue(open), "in_use": 0, "connecting": 0, "waiting": 0]
}

@Test(arguments: [false, true])
func poolThatIsOpenedAnewIsWatchedLikeTheFirst(_ isReopened: Bool) {
    let result = judge(
        BackgroundWork.self,
        HistoryBuilder.history { history in
            history.phases()
            history.pool("configured", ["max_open": 10, "min_idle": 5], at: 0)
            history.fault(0, inject: s(5), heal: s(6))
            if isReopened { history.pool("connection-closed", ["conn": 1, "reason": "pool-closed"], at: s(6.5)) }
            for step in 0..<320 { history.pool("gauges", gauges(step < 80 ? 6 : 0), at: Double(step) * 100) }
            history.pool("closed", ["took_ns": 1, "limit_ns": 5_000_000_000, "leases_cut": 0], at: s(31))
        })
    #expect(result.findings.map(\.title) == ["The pool did not get back to min-idle"])
    #expect(result.findings.first?.seen == "too few for 23 s, of which 23 s without a fault; 0 at the end")
}

@Test(arguments: [0, 400])
func starvedClientIsSeenBesideAnOutage(_ timedOut: Int) {
    func wait(_ history: inout HistoryBuilder, by worker: Int, from: Double, to: Double, served: Bool) {
        history.operation(
            "read", by: worker, from: from, to: to + 1, served ? .ok : .fail,
            completion: Completion(
                connection: served ? 3 : nil, acquireNanoseconds: Int64((to - from) * 1e6),
                error: served
                    ? nil : FailureDescription(phase: .acquire, failureClass: "timed-out", code: nil, message: ""),
                leasedAt: served ? Int64(to * 1e6) : nil))
    }
    let result = judge(
        FairQueue.self,
        HistoryBuilder.history { history in
            history.phase("steady", at: 0)
            for number in 0..<timedOut { wait(&history, by: number, from: 1000, to: 3000, served: false) }
            wait(&history, by: 999, from: 6000, to: 7900, served: true)
            for number in 0..<380 {
                let at = 6005 + Double(number) * 5
                wait(&history, by: 1000 + number, from: at, to: at + 3, served: true)
            }
            history.phase("drain", at: s(10))
        })
    #expect(result.findings.count == 1)
    #expect(result.findings.first?.seen == "`read` of worker 999 on connection 3: waited 1.9 s and was served")
}

/// For two seconds from 6 s on five hundred connections a second are opened, each lost `after` milliseconds.
private func hotLoop<C: Checker>(_ type: C.Type, livingFor after: Double, every: Double = 2) -> InvariantResult {
    judge(
        type,
        HistoryBuilder.history { history in
            history.phases()
            history.pool("configured", ["max_open": 10, "connects_in_flight": 4], at: 0)
            for number in 0..<10 { history.pool("connection-opened", ["conn": JSONValue(number)], at: s(1)) }
            history.fault(0, inject: s(5), heal: s(8))
            for number in 0..<10 {
                history.pool("connection-closed", ["conn": JSONValue(number), "reason": "lost"], at: s(5.5))
            }
            for number in 0..<Int(2000 / every) {
                let value: JSONValue = ["conn": JSONValue(100 + number), "reason": "lost"]
                let at = s(6) + Double(number) * every
                history.pool("connection-opened", value, at: at)
                history.pool("connection-closed", value, at: at + after)
            }
        })
}

@Test func poolWhoseConnectionsDieAtOnceDoesNotExcuseItself() {
    #expect(hotLoop(ConnectStorm.self, livingFor: 1).findings.map(\.title) == ["500 connects within a second"])
    #expect(
        hotLoop(ConnectionsPerLoss.self, livingFor: 1).findings.map(\.title)
            == ["1000 connections opened after restart #0, for 10 that went"])
    // Those that lived for a while were lost to something else.
    #expect(hotLoop(ConnectionsPerLoss.self, livingFor: 1000).verdict == .valid)
    #expect(hotLoop(ConnectStorm.self, livingFor: 1000, every: 12).verdict == .valid)
}

@Test func sessionThatIsKnownToBeGoneExcusesNoOther() {
    func run(isTold: Bool) -> InvariantResult {
        judge(
            MaxOpenConnections.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["max_open": 10], at: 0)
                for second in 0..<20 {
                    let connection: JSONValue = ["conn": JSONValue(second), "pid": JSONValue(second + 100)]
                    history.pool("connection-opened", connection, at: s(Double(second)))
                    history.pool("connection-closed", connection, at: s(Double(second) + 0.5))
                    if isTold {
                        history.probe("session-ended", ["pids": [JSONValue(second + 100)]], at: s(Double(second) + 0.7))
                    }
                    history.probe("sample", ["server_sessions": 13], at: s(Double(second) + 0.9))
                }
            })
    }
    #expect(run(isTold: true).findings.map(\.title) == ["The server had 13 sessions of the pool, 3 more than allowed"])
    #expect(run(isTold: false).verdict == .valid)
}

@Test(arguments: [4, 400])
func attemptThatIsTooLongIsSeenBesideManyThatWereRetried(_ retried: Int) {
    let result = judge(
        DeadlineKept.self,
        HistoryBuilder.history { history in
            history.pool(
                "configured",
                [
                    "retry": "safe", "retry_budget_ns": 10_000_000_000, "acquire_timeout_ns": 1_000_000_000,
                    "statement_timeout_ns": 1_000_000_000, "release_timeout_ns": 500_000_000,
                ], at: 0)
            for number in 0..<retried {
                let attempts = (1...3).map { Attempt(number: $0, outcome: .fail) }
                history.operation(
                    "append", by: number, from: s(1), to: s(10), .fail,
                    completion: Completion(attempt: 3, attempts: attempts))
            }
            history.operation("append", by: 999, from: s(20), to: s(27), completion: Completion(attempt: 1))
        })
    #expect(result.findings.map(\.title) == ["An operation took 7 s"])
}

@Test func refusalsBetweenTwoFaultsCountWhateverComesLater() {
    let result = judge(
        ReadOnlyDetected.self,
        HistoryBuilder.history { history in
            history.fault(0, "failover", "", inject: s(1), heal: s(2))
            history.fault(1, "failover", "", inject: s(10), heal: s(12))
            for step in 0..<14 {
                let at = step < 10 ? s(6) + Double(step) * 50 : s(10.5) + Double(step) * 50
                history.operation(
                    "append", by: 1, from: at, to: at + 1, .fail,
                    completion: Completion(
                        connection: 3,
                        error: FailureDescription(
                            phase: .query, failureClass: "server-error", code: "25006", message: "")))
            }
        })
    #expect(result.findings.map(\.seen) == ["14 refused in all, 10 of them within 450 ms"])
}

@Test func serverThatKeepsMoreSessionsThanThePoolHasDuringTheRunIsALeak() {
    func run(sessions: Int, from begin: Int, to end: Int, named: Bool = true) -> InvariantResult {
        judge(
            ZeroLeakedConnections.self,
            HistoryBuilder.history { history in
                history.phases()
                history.pool("connection-opened", ["conn": 3, "pid": 8003], at: 1)
                for step in 0..<120 {
                    let isOver = step / 4 >= begin && step / 4 < end
                    history.pool("gauges", gauges(2), at: Double(step) * 250)
                    history.probe(
                        "sample", ["server_sessions": JSONValue(isOver ? sessions : 2), "client_sockets": 2],
                        at: Double(step) * 250 + 1)
                }
                for (at, count) in [("quiesced", 2), ("closed", 0)] {
                    let list: JSONValue = named ? [["pid": 8003, "state": "idle"]] : [["client_port": "7"]]
                    history.probe(
                        "books",
                        [
                            "at": .string(at), "pool": ["open": JSONValue(count), "in_use": 0], "leases": [],
                            "client_sockets": JSONValue(count), "server_sessions": JSONValue(count),
                            "sessions": count > 0 ? list : [],
                        ], at: s(count > 0 ? 31 : 32))
                }
            })
    }
    #expect(run(sessions: 2, from: 5, to: 25).verdict == .valid)
    let result = run(sessions: 9, from: 5, to: 25)
    #expect(result.findings.map(\.title) == ["The server had 7 sessions more than the pool had connections"])
    #expect(result.findings.first?.time == 5_000_000_000)
    #expect(run(sessions: 9, from: 5, to: 10).verdict == .valid)  // the grace itself
    #expect(run(sessions: 9, from: 5, to: 25, named: false).verdict == .valid)  // a pooler's clients
}
