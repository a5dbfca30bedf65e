import Checkers
import RigModel
import Testing

// Histories in which there was nothing to see, or nobody looked, are not valid.

@Test func booksThatCouldBeTakenBeforeMustNotBeMissing() {
    func run(sockets: JSONValue, sessions: JSONValue, ended: Bool = false) -> String {
        judge(
            ZeroLeakedConnections.self,
            HistoryBuilder.history { history in
                history.pool("connection-opened", ["conn": 3, "pid": 8003], at: 1)
                history.probe("sample", ["server_sessions": 2, "client_sockets": 2], at: 2)
                if ended { history.pool("process-ended", ["pid": 1, "reason": "killed"], at: 3) }
                for (at, count) in [("quiesced", 2), ("closed", 0)] {
                    let isLast = at == "closed"
                    history.probe(
                        "books",
                        [
                            "at": .string(at), "pool": ["open": JSONValue(count), "in_use": 0], "leases": [],
                            "client_sockets": isLast ? sockets : 2, "server_sessions": isLast ? sessions : 2,
                        ], at: isLast ? 20 : 10)
                }
            }
        ).summary
    }
    #expect(run(sockets: 0, sessions: 0).hasPrefix("1 connection opened, all given back"))
    #expect(
        run(sockets: nil, sessions: nil)
            == "not judged: the client sockets and the server's sessions could not be counted after the close")
    #expect(run(sockets: 0, sessions: nil) == "not judged: the server's sessions could not be counted after the close")
    #expect(run(sockets: nil, sessions: 0, ended: true).hasPrefix("1 connection opened"))
}

@Test func faultThatNoOperationMetTestsNothing() {
    func notes(_ operations: [(Double, Double?)], _ more: (inout HistoryBuilder) -> Void = { _ in }) -> [String] {
        let history = HistoryBuilder.history { history in
            history.fault(0, "freeze", "", inject: s(5), heal: s(6.5))
            for (number, times) in operations.enumerated() {
                history.operation("read", by: number, from: s(times.0), to: times.1.map(s))
            }
            more(&history)
        }
        var kinds = OperationKinds()
        var timeline = FaultTimeline()
        for event in history {
            kinds.observe(event)
            timeline.observe(event)
        }
        return RunVerdict(
            invariants: [InvariantResult(name: "x", verdict: .valid, summary: "")], faults: timeline,
            expectedInjections: 1, operations: kinds, configuredKinds: []
        ).notes
    }
    let note = ["No operation was in flight while the fault freeze #0 was active: it has tested nothing."]
    #expect(notes([(1, 4.8), (6.7, 7)]) == note)
    #expect(notes([(1, 4.8), (6.2, 6.3)]).isEmpty)
    #expect(notes([(1, 2), (4, 9)]).isEmpty)
    #expect(notes([(1, 2), (4, nil)]).isEmpty)
    // In a quiet time it broke what the next burst met.
    let broke: (inout HistoryBuilder) -> Void = { $0.probe("session-ended", ["pids": [7]], at: s(5.5)) }
    #expect(notes([(1, 4.8), (8, 9)], broke).isEmpty)
    #expect(notes([(1, 4.8), (18, 19)], broke) == note)
}

@Test func deadPoolHasAThroughputOfNothing() {
    func run(begun: Double, ended: Double?) -> InvariantResult {
        let bound = Threshold(.throughput(kind: nil), .above, 5, in: .phase("settle"))
        return judge(
            Thresholds.self,
            HistoryBuilder.history { history in
                history.phases()
                history.operation("read", by: 1, from: s(begun), to: ended.map(s))
            }, Parameters(["throughput": .thresholds([bound])]))
    }
    #expect(run(begun: 15, ended: nil).findings.map(\.title) == ["throughput was 0/s in phase settle"])
    #expect(run(begun: 15, ended: 31).verdict == .invalid)
    #expect(run(begun: 25, ended: 31).verdict == .invalid)
    #expect(run(begun: 15, ended: 19).verdict == .unknown)
    #expect(run(begun: 30.5, ended: 31).verdict == .unknown)
}

@Test func withoutLimitsNoTimeoutIsKept() {
    func timeouts(_ limits: JSONValue, closed: Bool = true) -> InvariantResult {
        judge(
            Timeouts.self,
            HistoryBuilder.history { history in
                history.pool("configured", limits, at: 0)
                history.operation(
                    "append", by: 4, from: s(1), to: s(27),
                    completion: Completion(acquireNanoseconds: 25_000_000_000, queryNanoseconds: 1_000_000))
                if closed {
                    history.pool(
                        "closed", ["took_ns": 1_000_000, "limit_ns": 5_000_000_000, "leases_cut": 0], at: s(30))
                }
                history.phase("end", at: s(31))
            })
    }
    #expect(
        timeouts(["max_open": 10]).summary
            == "not judged: the pool told no limit of its acquires, statements and releases")
    #expect(
        timeouts(["statement_timeout_ns": 1_000_000_000]).summary
            == "acquire at most 25 s (no limit told: not judged), query at most 1 ms of 1 s, close at most 1 ms of 5 s")
    #expect(
        timeouts(["acquire_timeout_ns": 30_000_000_000], closed: false).summary
            == "not judged: the run ended, and nobody said how long closing the pool took")
    let deadline = judge(
        DeadlineKept.self,
        HistoryBuilder.history { history in
            history.pool("configured", ["retry": "none"], at: 0)
            history.operation("append", by: 4, from: s(1), to: s(28), completion: Completion())
        })
    #expect(deadline.summary == "not judged: the pool never told its limits of acquire, statement and release")
}

@Test func limitThatNothingReachedProvesNoBackgroundWork() {
    func run(openedAt: Double, reason: String? = nil) -> Verdict {
        judge(
            BackgroundWork.self,
            HistoryBuilder.history { history in
                history.phases()
                history.pool(
                    "configured", ["max_open": 10, "min_idle": 0, "max_lifetime_ns": 25_000_000_000], at: 0)
                history.fault(0, inject: s(5), heal: s(6))
                history.pool("connection-opened", ["conn": 3], at: s(openedAt))
                if let reason {
                    history.pool("connection-closed", ["conn": 3, "reason": .string(reason)], at: s(29))
                }
                for second in 0..<31 {
                    history.pool("gauges", ["open": 1, "idle": 1, "in_use": 0, "waiting": 0], at: s(Double(second)))
                }
            }
        ).verdict
    }
    #expect(run(openedAt: 9) == .unknown)
    #expect(run(openedAt: 3) == .valid)
    #expect(run(openedAt: 9, reason: "max-lifetime") == .valid)
}

@Test func connectionThatWasIdleForLongerThanItIsTrustedMustBeChecked() {
    func run(used: Double?, interval: Int64 = 0, _ more: (inout HistoryBuilder) -> Void = { _ in }) -> Verdict {
        judge(
            NoDeadConnections.self,
            HistoryBuilder.history { history in
                history.pool(
                    "configured",
                    ["check_after_idle_ns": 10_000_000_000, "health_check_interval_ns": .int(interval)], at: 0)
                history.pool("connection-opened", ["conn": 3, "pid": 103], at: s(1))
                func use(_ at: Double, _ error: FailureDescription?) {
                    history.operation(
                        "append", by: 4, from: s(at) - 1, to: s(at) + 20, error == nil ? .ok : .fail,
                        completion: Completion(
                            connection: 3, error: error, leasedAt: Int64(at * 1e9),
                            returnedAt: Int64(at * 1e9) + 10_000_000))
                }
                if let used { use(used, nil) }
                history.probe("session-ended", ["pids": [103]], at: s(15))
                use(
                    23, FailureDescription(phase: .query, failureClass: "session-ended", code: "57P01", message: ""))
                more(&history)
            }
        ).verdict
    }
    #expect(run(used: 2) == .invalid)
    #expect(run(used: nil) == .invalid)
    #expect(run(used: 13) == .valid)
    #expect(run(used: 2, interval: 5_000_000_000) == .valid)
    #expect(run(used: 2) { $0.probe("all-at-once", ["asked": 1, "got": 1, "took_ns": 1], at: s(14)) } == .valid)
}

@Test func dirtThatNobodyLookedAtProvesNothing() {
    func run(inspected: Int, at time: Double, closed: String? = nil) -> Verdict {
        judge(
            CleanLeases.self,
            HistoryBuilder.history { history in
                history.operation(
                    "append", by: 1, from: s(5), to: s(5) + 1,
                    completion: Completion(connection: 2, notes: ["residue": ["role"]]))
                history.operation(
                    "inspect", by: 2, from: s(time), to: s(time) + 1,
                    completion: Completion(connection: inspected, notes: ["found": []]))
                if let closed { history.pool("connection-closed", ["conn": 2, "reason": .string(closed)], at: s(9)) }
            }
        ).verdict
    }
    #expect(run(inspected: 2, at: 6) == .valid)
    #expect(run(inspected: 2, at: 1) == .unknown)
    #expect(run(inspected: 1, at: 6) == .unknown)
    #expect(run(inspected: 1, at: 6, closed: "unusable") == .valid)
    #expect(run(inspected: 1, at: 6, closed: "pool-closed") == .unknown)
}

@Test func questionAfterTheLastFaultIsNeeded() {
    func run(_ asked: Double, forced: Bool = false) -> InvariantResult {
        judge(
            AllConnections.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["max_open": 10, "acquire_timeout_ns": 2_000_000_000], at: 0)
                history.fault(0, inject: s(5), heal: s(6))
                history.fault(1, inject: s(12), heal: s(13), forced: forced)
                history.probe("all-at-once", ["asked": 10, "got": 10, "took_ns": 1_000_000], at: s(asked))
            })
    }
    #expect(
        run(8).summary
            == "not judged: after restart #1 was healed the pool was not asked, or a stall of the machine spoilt it")
    #expect(run(14).verdict == .valid)
    #expect(run(8, forced: true).verdict == .valid)
}

@Test func clientsOfAPoolerAreNoLookAtTheServer() {
    func run(_ session: JSONValue) -> Verdict {
        judge(
            NoOrphans.self,
            HistoryBuilder.history { history in
                history.probe("sample", ["server_sessions": 3], at: 1)
                history.operation(
                    "append", by: 4, from: s(4), to: s(4.5), .info,
                    completion: Completion(
                        error: FailureDescription(phase: .query, failureClass: "timed-out", code: nil, message: "")))
                history.probe("books", ["at": "quiesced", "server_sessions": 1, "sessions": [session]], at: s(9))
            }
        ).verdict
    }
    #expect(run(["client_port": "4711", "state": "active"]) == .unknown)
    #expect(run(["pid": 4711, "state": "idle"]) == .valid)
}

@Test func loneUseThatNeverCameBackIsAFinding() {
    func run(ended: Double?, until: Double = 30) -> InvariantResult {
        judge(
            FreshAcquire.self,
            HistoryBuilder.history { history in
                history.probe("lone-use-begun", ["quiet_ns": 3_000_000_000], at: s(9))
                history.probe(
                    "lone-use", ["quiet_ns": 3_000_000_000, "took_ns": 5_000_000, "outcome": "ok"], at: s(9.005))
                history.probe("lone-use-begun", ["quiet_ns": 2_000_000_000], at: s(15))
                if let ended {
                    history.probe(
                        "lone-use",
                        ["quiet_ns": 2_000_000_000, "took_ns": .int(Int64((ended - 15) * 1e9)), "outcome": "ok"],
                        at: s(ended))
                }
                history.phase("drain", at: s(until))
            })
    }
    #expect(run(ended: 15.2).verdict == .valid)
    #expect(run(ended: nil).findings.map(\.title) == ["A lone use ended in nothing"])
    #expect(run(ended: nil, until: 15.9).verdict == .valid)  // still within its limit
}

@Test func sessionThatIsLentOutUnderTwoNumbersHasTwoHolders() {
    func run(fault: Bool = false, ended: Double? = nil, session: JSONValue = ["pid": 777]) -> InvariantResult {
        judge(
            ExclusiveCheckout.self,
            HistoryBuilder.history { history in
                for (worker, from) in [(1, 10.0), (2, 15)] {
                    history.operation(
                        "append", by: worker, from: from, to: from + 10,
                        completion: Completion(
                            connection: worker, backendPID: 777, leasedAt: Int64(from * 1e6),
                            returnedAt: Int64((from + 9) * 1e6)))
                }
                if fault { history.fault(0, inject: 11, heal: 13) }
                if let ended { history.probe("session-ended", ["pids": [777]], at: ended) }
                history.probe("books", ["at": "quiesced", "sessions": [session]], at: 100)
            })
    }
    #expect(
        run().findings.map(\.title) == ["One session of the server was lent out twice, as connections 1 and 2"])
    #expect(run(fault: true).verdict == .valid)
    #expect(run(ended: 12).verdict == .valid)
    #expect(run(session: ["client_port": "1"]).verdict == .valid)
}
