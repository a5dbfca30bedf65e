import Checkers
import RigModel
import Testing

// Histories in which the pool did nothing wrong, and an invariant once said that it had.

// MARK: Several pools

@Test func limitsOfSeveralPoolsAreEachForItself() {
    func run(_ open: Int) -> InvariantResult {
        judge(
            MaxOpenConnections.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["max_open": 4, "instances": 3], at: 0)
                for step in 0..<100 {
                    history.pool(
                        "gauges", ["open": JSONValue(open), "idle": 1, "in_use": 1, "connecting": 0],
                        at: Double(step) * 50)
                }
            })
    }
    #expect(run(12).verdict == .valid)
    #expect(run(13).verdict == .invalid)
    #expect(run(12).measured["max_open"] == 12)
}

@Test func severalPoolsAreWholeWhenTogetherTheyHaveWhatEachMustHave() {
    func run(_ open: Int) -> InvariantResult {
        judge(
            Recovery.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["max_open": 10, "min_idle": 2, "instances": 3], at: 0)
                history.phases()
                history.fault(0, inject: s(5), heal: s(6))
                for step in 0..<600 {
                    let at = Double(step) * 50
                    history.operation("read", by: 1, from: at, to: at + 10)
                    history.pool(
                        "gauges",
                        ["open": JSONValue(at < 5000 ? 9 : open), "idle": 1, "in_use": 1, "waiting": 0], at: at)
                }
            })
    }
    #expect(run(6).verdict == .valid)
    #expect(run(5).verdict == .invalid)
}

// MARK: Recovery

/// An operation each 10 ms but in quiet times; those that begin in the gap take until its end.
private func load(quiet: Range<Double>, gap: Range<Double> = 0..<0, until: Double = 30_000) -> InvariantResult {
    judge(
        Recovery.self,
        HistoryBuilder.history { history in
            history.phases()
            history.fault(0, inject: s(9), heal: s(10))
            for step in 0..<3000 where !quiet.contains(Double(step) * 10) && Double(step) * 10 < until {
                let at = Double(step) * 10
                history.operation("read", by: step, from: at, to: max(at + 5, gap.contains(at) ? gap.upperBound : 0))
            }
        })
}

@Test func timeInWhichNobodyAskedIsNoSlowRecovery() {
    let result = load(quiet: 9500..<16_500)
    #expect(result.verdict == .valid)
    #expect(result.summary.hasSuffix("6.5 s in which nobody asked for anything do not count"))
    // It was asked, and did not answer.
    #expect(load(quiet: 9500..<10_100, gap: 10_100..<16_500).verdict == .invalid)
    // After the quiet time it takes too long all the same.
    let late = load(quiet: 9500..<13_000, gap: 13_000..<18_500)
    #expect(late.verdict == .invalid)
    #expect(
        late.findings.first?.expected.hasSuffix("within 5 s (+ 3 s in which nobody asked for anything) of the heal")
            == true)
    #expect(load(quiet: 9500..<13_000, gap: 13_000..<17_500).verdict == .valid)
    // A pause shorter than a second is the load's own rhythm.
    #expect(load(quiet: 10_000..<10_900, gap: 10_900..<15_500).verdict == .invalid)
}

@Test func quietLastSecondOfAFaultThatLastedToTheEndIsNoFinding() {
    func run(quiet: Range<Double>) -> InvariantResult {
        judge(
            Recovery.self,
            HistoryBuilder.history { history in
                history.phases()
                history.fault(0, inject: s(9), heal: s(30), forced: true)
                for step in 0..<3000 where !quiet.contains(Double(step) * 10) {
                    let at = Double(step) * 10
                    history.operation("read", by: step, from: at, to: at + 5, at > 28_500 ? .fail : .ok)
                }
            })
    }
    #expect(run(quiet: 0..<0).verdict == .invalid)
    #expect(run(quiet: 28_000..<31_000).verdict == .unknown)
}

// MARK: Cancellation

private func cancelled(at moment: String, took: Double) -> InvariantResult {
    judge(
        Cancellation.self,
        HistoryBuilder.history { history in
            history.operation(
                "append", by: 4, from: 1000, to: 5000,
                completion: Completion(
                    connection: 3,
                    notes: ["cancel": ["at": .string(moment), "took_ns": .int(Int64(took * 1e6)), "returned": true]]))
        })
}

@Test func useOfAnAdapterThatMayHaveBeenOverIsJudgedByItsLengthOnly() {
    #expect(cancelled(at: "use", took: 150).verdict == .valid)
    #expect(cancelled(at: "use", took: 1001).findings.map(\.title) == ["A cancelled call ended only 1 s later"])
    #expect(cancelled(at: "query", took: 150).verdict == .invalid)
}

// MARK: Gauges

/// Ten connections, of which four have no socket from 3 s on for so long.
private func deadIdle(for seconds: Double, configured: JSONValue?, idle: Int = 6) -> InvariantResult {
    judge(
        HonestGauges.self,
        HistoryBuilder.history { history in
            if let configured { history.pool("configured", configured, at: 0) }
            for step in 1..<600 {
                let at = Double(step) * 50
                history.pool("gauges", ["open": 10, "idle": JSONValue(idle), "in_use": JSONValue(10 - idle)], at: at)
                if step % 5 == 0 {
                    let isCut = at >= 3000 && at < 3000 + s(seconds)
                    history.probe("sample", ["client_sockets": isCut ? 6 : 10], at: at + 1)
                }
            }
        })
}

@Test func idleConnectionsThatAreDeadMayBeCountedUntilTheyAreChecked() {
    let slow: JSONValue = ["health_check_interval_ns": 10_000_000_000, "check_timeout_ns": 1_000_000_000]
    #expect(deadIdle(for: 11, configured: slow).verdict == .valid)
    #expect(deadIdle(for: 12, configured: slow).verdict == .invalid)
    #expect(deadIdle(for: 6, configured: ["health_check_interval_ns": 1_000_000_000]).verdict == .invalid)
    // A pool that does not tell when it looks: nobody touches what is idle, whatever is not is noticed.
    #expect(deadIdle(for: 20, configured: nil).verdict == .valid)
    #expect(deadIdle(for: 20, configured: nil, idle: 3).verdict == .invalid)
}

@Test func findingAboutSocketsNamesAGaugeAndASampleOfItsBeginAndItsEnd() {
    let finding = deadIdle(for: 6, configured: ["health_check_interval_ns": 1_000_000_000]).findings.first
    #expect(finding?.events.count == 4)
    #expect(finding?.seen == "6 sockets, 10 connections open, for 6 s from 3 s on")
}

@Test func onlyOneSocketTooManyIsTheRigsOwnWhileAFaultIsActive() {
    func run(_ more: Int) -> InvariantResult {
        judge(
            HonestGauges.self,
            HistoryBuilder.history { history in
                history.fault(0, inject: s(2), heal: s(9))
                for step in 1..<200 {
                    let at = Double(step) * 50
                    history.pool("gauges", ["open": 3, "idle": 1, "in_use": 1, "connecting": 0], at: at)
                    let sockets = at >= 3000 && at < 8000 ? 3 + more : 3
                    if step % 5 == 0 { history.probe("sample", ["client_sockets": JSONValue(sockets)], at: at + 1) }
                }
            })
    }
    #expect(run(1).verdict == .valid)
    #expect(run(2).verdict == .invalid)
}

// MARK: Leaks

@Test func suspicionOfAProcessThatIsGoneIsNoLeak() {
    func run(_ reason: String) -> [String] {
        judge(
            ZeroLeakedConnections.self,
            HistoryBuilder.history { history in
                history.pool("connection-opened", ["conn": 1, "pid": 101], at: 0)
                history.pool(
                    "leak-suspected", ["conn": 1, "pid": 101, "site": "a:1", "held_ns": 1_000_000_000], at: s(3))
                history.pool("connection-closed", ["conn": 1, "pid": 101, "reason": .string(reason)], at: s(4))
            }
        ).findings.map(\.title)
    }
    #expect(run("process-ended") == [])
    #expect(run("lost") == ["Connection 1 was held past the leak threshold and never seen again"])
}

// MARK: Retries

@Test func retriesOfTheConfiguredPolicyAreNoStorm() {
    func run(_ attempts: Int, configured: JSONValue) -> InvariantResult {
        judge(
            RetryStorm.self,
            HistoryBuilder.history { history in
                history.pool("configured", configured, at: 0)
                for number in 0..<200 {
                    history.operation(
                        "append", by: number, from: Double(number) * 100, to: Double(number) * 100 + 1, .fail,
                        completion: Completion(
                            attempts: (1...attempts).map {
                                Attempt(number: $0, outcome: .fail, delayNanoseconds: 1)
                            }))
                }
            })
    }
    #expect(run(4, configured: ["retry": "safe", "retry_attempts": 4]).verdict == .valid)
    #expect(run(5, configured: ["retry": "safe", "retry_attempts": 4]).verdict == .invalid)
    #expect(run(2, configured: ["retry": "none", "retry_attempts": 4]).verdict == .invalid)
    #expect(run(3, configured: [:]).verdict == .invalid)
}

@Test func rowThatNobodyWroteIsDatedByTheReadAndNamesTheFaultsOfTheRun() {
    let result = judge(
        RetryCorrectness.self,
        HistoryBuilder.history { history in
            history.fault(0, inject: s(5), heal: s(6))
            history.probe(
                "final-appends", ["ids": [.int(OperationID(worker: 1, sequence: 1).rawValue)], "part": 0, "parts": 1],
                at: s(8))
        })
    #expect(result.findings.first?.time == 8_000_000_000)
    #expect(
        result.findings.first?.activeFault
            == "unknown: nobody knows when it was written (in the run: restart #0 (immediate, down for 2 s))")
}

// MARK: Sums of several pools

@Test func minIdleOfSeveralPoolsIsNotJudgedByTheirSum() {
    func run(_ instances: Int) -> InvariantResult {
        judge(
            BackgroundWork.self,
            HistoryBuilder.history { history in
                history.pool(
                    "configured", ["max_open": 10, "min_idle": 4, "instances": JSONValue(instances)], at: 0)
                history.phases()
                history.fault(0, inject: s(5), heal: s(6))
                for step in 0..<600 {
                    history.pool(
                        "gauges", ["open": 9, "idle": 3, "in_use": 6, "waiting": 0], at: Double(step) * 50)
                }
            })
    }
    #expect(run(1).verdict == .invalid)
    #expect(run(2).summary == "not judged: the gauges are the sum of 2 pools: what each of them has is not told")
}

// MARK: What clients do themselves

/// 100 operations, of which the first few ended in fail.
private func failures<C: Checker>(
    _ type: C.Type, _ count: Int, _ failureClass: String, notes: JSONValue? = nil, _ parameters: Parameters
) -> InvariantResult {
    judge(
        type,
        HistoryBuilder.history { history in
            history.fault(0, inject: 1, heal: s(20))
            for number in 0..<100 {
                let error = FailureDescription(phase: .query, failureClass: failureClass, code: nil, message: "")
                history.operation(
                    "append", by: number, from: Double(number) * 100 + 5, to: Double(number) * 100 + 10,
                    number < count ? .fail : .ok,
                    completion: Completion(error: number < count ? error : nil, notes: number < count ? notes : nil))
            }
        }, parameters)
}

@Test(arguments: ["client-threw", "client-abandoned"])
func operationThatItsClientEndedIsNoErrorOfThePool(_ failureClass: String) {
    let bound = Parameters([
        "errors": .thresholds([Threshold(.errors(kind: nil), .below, 0.01)])
    ])
    #expect(failures(Thresholds.self, 5, failureClass, bound).verdict == .valid)
    #expect(failures(Thresholds.self, 5, "timed-out", bound).verdict == .invalid)
    let cancel: JSONValue = ["cancel": ["at": "query", "took_ns": 1]]
    #expect(failures(Thresholds.self, 5, "cancelled", notes: cancel, bound).verdict == .valid)
    #expect(failures(OperationsLost.self, 80, failureClass, Parameters()).verdict == .valid)
    #expect(failures(OperationsLost.self, 80, "timed-out", Parameters()).verdict == .invalid)
}

@Test func poolThatIsAskedForAllWhileAClientKeepsOneIsNotJudged() {
    func run(held: Int64, until: Double) -> InvariantResult {
        judge(
            AllConnections.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["max_open": 10, "acquire_timeout_ns": 2_000_000_000], at: 0)
                history.operation(
                    "read", by: 1, from: until - Double(held) * 1000, to: until,
                    completion: Completion(
                        connection: 1, leasedAt: Int64((until - Double(held) * 1000) * 1e6),
                        returnedAt: Int64(until * 1e6), notes: ["held_ns": .int(held * 1_000_000_000)]))
                history.probe("all-at-once", ["asked": 10, "got": 9, "took_ns": 2_000_000_000], at: s(12))
            })
    }
    #expect(
        run(held: 10, until: s(15)).summary
            == "not judged: a fault was active, or a client kept a connection for longer than the acquire timeout, or "
            + "the machine stood still, whenever the pool was asked")
    #expect(run(held: 10, until: s(9)).verdict == .invalid)
    #expect(run(held: 1, until: s(12)).verdict == .invalid)
}

@Test func poolsSideBySideAreEachJudgedByTheirOwnMinIdle() {
    /// Two pools of at most ten with a min-idle of four: the first is busy as a whole.
    func run(idleOfSecond: Int) -> InvariantResult {
        judge(
            BackgroundWork.self,
            HistoryBuilder.history { history in
                history.pool("configured", ["max_open": 10, "min_idle": 4, "instances": 2], at: 0)
                history.phases()
                history.fault(0, inject: s(5), heal: s(6))
                for step in 0..<600 {
                    let idle = JSONValue(idleOfSecond)
                    history.pool(
                        "gauges",
                        [
                            "open": 14, "idle": 4, "in_use": 10, "waiting": 0,
                            "each": [
                                ["open": 10, "idle": 0, "in_use": 10, "waiting": 0],
                                ["open": idle, "idle": idle, "in_use": 0, "waiting": 0],
                            ],
                        ], at: Double(step) * 50)
                }
            })
    }
    #expect(run(idleOfSecond: 4).verdict == .valid)
    let result = run(idleOfSecond: 3)
    #expect(result.verdict == .invalid)
    #expect(result.findings.first?.expected == "4 connections that nobody holds, within 5 s")
}
