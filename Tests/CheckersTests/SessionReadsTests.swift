import Checkers
import RigModel
import Testing

/// Writes and reads of counters, one after the other.
private struct Step {
    var worker: Int
    var key: Int
    var write: Int?
    var value: Int
    var kind = Event.Kind.ok

    static func write(_ value: Int, by worker: Int, key: Int = 1, _ kind: Event.Kind = .ok) -> Step {
        Step(worker: worker, key: key, write: value, value: value, kind: kind)
    }
    static func read(_ value: Int, by worker: Int, key: Int = 1, _ kind: Event.Kind = .ok) -> Step {
        Step(worker: worker, key: key, value: value, kind: kind)
    }
}

private func run<C: Checker>(_ type: C.Type, _ steps: [Step]) -> InvariantResult {
    judge(
        type,
        HistoryBuilder.history { history in
            for (number, step) in steps.enumerated() {
                let at = Double(number) * 10
                var begin: [JSONValue.Member] = [.init("key", JSONValue(step.key))]
                if let write = step.write { begin.append(.init("write", JSONValue(write))) }
                history.add(at, .invoke, .worker(step.worker), "register", .object(begin))
                history.add(
                    at + 5, step.kind, .worker(step.worker), "register",
                    step.kind == .ok ? ["key": JSONValue(step.key), "value": JSONValue(step.value)] : .object(begin),
                    Completion(connection: 3))
            }
        })
}

@Test func ownWriteOrSomethingNewerIsValid() {
    let result = run(
        ReadYourWrites.self, [.write(1, by: 0), .read(1, by: 0), .write(2, by: 0, .info), .read(2, by: 9)])
    #expect(result.verdict == .valid)
    #expect(result.summary == "2 reads after 1 write of own counters")
}

@Test func staleReadOfAnOwnWriteIsAFinding() {
    let result = run(ReadYourWrites.self, [.write(1, by: 0), .write(2, by: 0), .read(1, by: 0)])
    #expect(
        result.findings == [
            Finding(
                title: "A client did not read its own write",
                expected: "at least 2 from counter 1, which it had written",
                seen: "`register` of worker 0 on connection 3: 1", events: [3, 5], time: 20_000_000,
                activeFault: "none")
        ])
}

@Test func writeUnderAnEarlierWorkerNumberCountsToo() {
    let steps: [Step] = [.write(4, by: 0), .write(5, by: 0, .info), .read(3, by: 12)]
    let result = run(ReadYourWrites.self, steps)
    #expect(result.findings.first?.expected == "at least 4 from counter 1, which it had written")
    #expect(result.measured["stale"] == 1)
    #expect(run(ReadYourWrites.self, [.write(4, by: 0), .write(5, by: 0, .info), .read(4, by: 12)]).verdict == .valid)
}

@Test func whatFailedOrIsUnknownNeedNotBeRead() {
    let steps: [Step] = [.write(1, by: 0), .write(2, by: 0, .fail), .write(3, by: 0, .info), .read(1, by: 5)]
    #expect(run(ReadYourWrites.self, steps).verdict == .valid)
}

@Test func countersOfOthersAreNotCompared() {
    #expect(
        run(ReadYourWrites.self, [.write(9, by: 0, key: 1), .write(1, by: 1, key: 2), .read(1, by: 1, key: 2)]).verdict
            == .valid)
}

@Test func aReadIsCountedOnceAlsoWhenItIsBehindTwoWrites() {
    let steps: [Step] = [.write(8, by: 0), .write(9, by: 0, .info), .write(10, by: 3), .read(1, by: 3)]
    #expect(run(ReadYourWrites.self, steps).measured["stale"] == 1)
}

@Test func olderReadAfterANewerOneIsAFinding() {
    let result = run(MonotonicReads.self, [.read(5, by: 0), .read(5, by: 0), .read(4, by: 0)])
    #expect(result.findings.map(\.title) == ["A client read something older than before"])
    #expect(result.findings.first?.events == [1, 5])
    #expect(run(MonotonicReads.self, [.read(5, by: 0), .read(1, by: 0, .info), .read(4, by: 8)]).verdict == .invalid)
    #expect(run(MonotonicReads.self, [.read(5, by: 0), .read(5, by: 0), .read(7, by: 0)]).verdict == .valid)
}

@Test func writesAreNoReads() {
    #expect(run(MonotonicReads.self, [.write(5, by: 0), .read(1, by: 0), .read(2, by: 0)]).verdict == .valid)
    #expect(run(ReadYourWrites.self, [.read(5, by: 0), .write(1, by: 0), .read(2, by: 0)]).verdict == .valid)
}

@Test func oneReadAloneProvesNothing() {
    #expect(run(MonotonicReads.self, [.write(1, by: 0), .read(1, by: 0)]).verdict == .unknown)
    #expect(run(ReadYourWrites.self, [.read(1, by: 0), .read(1, by: 0), .write(2, by: 0)]).verdict == .unknown)
    #expect(
        run(ReadYourWrites.self, [.write(1, by: 0)]).summary
            == "not judged: no client ever read a counter that it had written")
}
