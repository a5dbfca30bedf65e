import Reporting
import RigModel
import Testing

private func event(
    _ index: Int, _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue = .null,
    _ completion: Completion? = nil
) -> Event {
    Event(
        index: index, time: Int64(index) * 1_000_000, kind: kind, process: process, function: function, value: value,
        completion: completion)
}

private func failed(_ failureClass: String, _ code: String?) -> Completion {
    Completion(error: FailureDescription(phase: .query, failureClass: failureClass, code: code, message: "x"))
}

private let events = [
    event(0, .invoke, .worker(1), "read"), event(1, .invoke, .worker(2), "append"),
    event(3, .ok, .worker(1), "read", .null, Completion(lagNanoseconds: 5_000_000)),
    event(4, .fail, .worker(2), "append", .null, failed("session-ended", "57P01")),
    event(5, .invoke, .worker(2), "append"),
    event(6, .info, .worker(2), "append", .null, failed("connection-lost", nil)),
    event(7, .invoke, .worker(3), "append"),
    event(8, .fail, .worker(3), "append", .null, failed("session-ended", "57P01")),
    event(9, .invoke, .worker(3), "append"), event(10, .fail, .worker(3), "append"),
    event(11, .invoke, .worker(4), "leak"),
    event(12, .info, .probe, "dropped", ["operations": 4]), event(13, .info, .probe, "dropped", ["operations": 3]),
    event(14, .info, .pool, "gauges", ["open": 1]),
]

@Test func workloadIsSummedUpByKind() throws {
    var summary = WorkloadSummary()
    for event in events { summary.observe(event) }
    let kinds = summary.operations
    #expect(kinds.map(\.kind) == ["append", "leak", "read"])
    let append = try #require(kinds.first)
    #expect(append.ok == 0 && append.fail == 3 && append.info == 1 && append.latency.count == 0)
    #expect(append.failures.map(\.name) == ["57P01 session-ended", "connection-lost", "unspecified"])
    #expect(append.failures.map(\.count) == [2, 1, 1])
    let read = try #require(kinds.last)
    // From the scheduled start: 3 ms, and 5 ms of lag.
    #expect(read.ok == 1 && read.latency.maxNanoseconds == 8_000_000)
    #expect(summary.droppedOperations == 7)
}

@Test func summaryOfTwoPartsIsTheSummaryOfTheWhole() {
    var whole = WorkloadSummary()
    var parts = (WorkloadSummary(), WorkloadSummary())
    for event in events {
        whole.observe(event)
        if event.process == .worker(2) || event.process == .probe {
            parts.0.observe(event)
        } else {
            parts.1.observe(event)
        }
    }
    parts.1.merge(parts.0)
    #expect(parts.1.operations == whole.operations)
    #expect(parts.1.droppedOperations == 7)
}

/// The first two could not be injected: the others keep the numbers by which charts and findings name them.
@Test func faultRecordsTellWhenAndWithWhatProof() {
    var records = FaultRecords()
    let facts: [NemesisFact] = [
        .phase("faults"), .inject(fault: 2, kind: "restart", detail: "restart fast"),
        .landed(fault: 2, kind: "restart", landed: true, evidence: ["refused": "57P03"]),
        .inject(fault: 3, kind: "kill-connections", detail: "kill-connections all"),
        .heal(fault: 2, kind: "restart", ok: true, forced: false, facts: .null),
    ]
    for (index, fact) in facts.enumerated() {
        records.observe(event(index * 1000, .info, .nemesis, fact.function, fact.value))
    }
    #expect(
        records.records == [
            FaultRecord(
                number: 2, kind: "restart", detail: "restart fast", injectedAtSeconds: 1, healedAtSeconds: 4,
                landed: true,
                evidence: ["refused": "57P03"]),
            FaultRecord(
                number: 3, kind: "kill-connections", detail: "kill-connections all", injectedAtSeconds: 3,
                healedAtSeconds: nil,
                landed: false, evidence: "the history holds no proof, neither for nor against"),
        ])
}
