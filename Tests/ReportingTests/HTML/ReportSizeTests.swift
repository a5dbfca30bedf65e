import Foundation
import RigModel
import Testing

@testable import Reporting

/// Ten minutes at a thousand operations a second, forty connections, thirty faults, twenty findings.
struct ReportSizeTests {
    private static let seconds = 600

    @Test func aReportOfTenBusyMinutesIsSmall() {
        // The size hangs on buckets and windows; a sanitizer need not see each operation.
        let rate = ProcessInfo.processInfo.environment["CHAOSRIG_SANITIZER"] == nil ? 1000 : 200
        var report = sampleReport()
        report.invariants = (0..<4).map { invariant in
            InvariantResult(
                name: "invariant-\(invariant)", verdict: .invalid, summary: "5 violations",
                findings: (0..<5).map { number in
                    Finding(
                        title: "Connection \(number) was lost", expected: "no loss", seen: "a loss", events: [number],
                        time: Int64(20 + invariant * 140 + number * 25) * 1_000_000_000)
                })
        }
        var picture = RunPicture()
        var lanes = ConnectionLanes(LaneWindow.around(report.invariants))
        var generator = SeededGenerator(seed: 1, stream: "size")
        var index = 0
        func tell(
            _ time: Int64, _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue,
            _ completion: Completion? = nil
        ) {
            let event = Event(
                index: index, time: time, kind: kind, process: process, function: function, value: value,
                completion: completion)
            index += 1
            picture.observe(event)
            lanes.observe(event)
        }
        func tell(_ time: Int64, _ fact: NemesisFact) { tell(time, .info, .nemesis, fact.function, fact.value) }
        for connection in 0..<40 {
            tell(
                0, .info, .pool, "connection-opened",
                ["conn": JSONValue(connection), "pid": JSONValue(1000 + connection)])
        }
        for (number, phase) in ["warm-up", "steady", "faults", "settle"].enumerated() {
            tell(Int64(number) * 10_000_000_000, .phase(phase))
        }
        let kinds = ["append", "read", "transfer", "register"]
        let step = 1_000_000_000 / Int64(rate)
        for number in 0..<Self.seconds * rate {
            let time = Int64(number) * step
            let kind = kinds[number % 4]
            tell(time, .invoke, .worker(number % 64), kind, 1)
            let took = Int64.random(in: 200_000..<40_000_000, using: &generator)
            let outcome: Event.Kind = number % 50 == 0 ? .fail : number % 77 == 0 ? .info : .ok
            let failure = FailureDescription(
                phase: .query, failureClass: "connection-lost", code: "08006",
                message: String(repeating: "the server closed the connection ", count: 8))
            // Times of a history never fall: what overlaps ends in the order of its begin here.
            tell(
                time + step / 2, outcome, .worker(number % 64), kind, 1,
                Completion(
                    connection: number % 40, acquireNanoseconds: took / 3, error: outcome == .ok ? nil : failure,
                    leasedAt: time - took, returnedAt: time + step / 2))
            if number % (rate / 20) == 0 {
                let draw = Int.random(in: 0...40, using: &generator)
                tell(
                    time, .info, .pool, "gauges",
                    [
                        "open": 40, "idle": JSONValue(40 - draw), "in_use": JSONValue(draw), "connecting": 1,
                        "waiting": JSONValue(draw * 3),
                    ])
                tell(
                    time, .info, .probe, "sample",
                    [
                        "server_sessions": JSONValue(draw), "client_sockets": JSONValue(draw + 1), "descriptors": 90,
                        "rss_bytes": JSONValue(draw * 1_000_000),
                    ])
            }
            if number % (rate * 20) == rate * 5 {
                tell(
                    time,
                    .inject(
                        fault: number / (rate * 20), kind: "fault-\(number / rate / 20 % 10)", detail: "for a while"))
            }
            if number % (rate * 20) == rate * 10 {
                let fault = number / (rate * 20)
                tell(time, .landed(fault: fault, kind: "fault-\(fault % 10)", landed: true, evidence: "seen"))
                tell(time, .heal(fault: fault, kind: "fault-\(fault % 10)", ok: true, forced: false, facts: .null))
            }
        }
        lanes.finish()
        report.faults = FaultRecordsOf(picture.timeline).records
        report.recovery = report.faults.enumerated().map { number, fault in
            RecoveryRecord(
                fault: "\(fault.kind) #\(number)", firstOkSeconds: 0.1, fullPoolSeconds: 0.2,
                baselineThroughputSeconds: 0.3, baselineP95Seconds: nil, lostOperations: 4)
        }
        #expect(report.faults.count == 30 && picture.recovery.curves.count == 30)
        #expect(lanes.pictures.count == LaneWindow.limit)
        let text = HTMLReport.render(report: report, picture: picture, lanes: lanes)
        #expect(text.utf8.count < 3_000_000, "\(text.utf8.count) bytes")
        #expect(text.utf8.count > 300_000, "something is missing: \(text.utf8.count) bytes")
        if let path = ProcessInfo.processInfo.environment["CHAOSRIG_KEEP_REPORT"] {
            try? Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
    }
}

/// The records of a timeline that was observed already.
private struct FaultRecordsOf {
    let records: [FaultRecord]

    init(_ timeline: FaultTimeline) {
        records = timeline.injections.map {
            FaultRecord(
                kind: $0.kind, detail: $0.detail, injectedAtSeconds: Double($0.inject?.time ?? 0) / 1e9,
                healedAtSeconds: $0.heal.map { Double($0.time) / 1e9 }, landed: $0.landed ?? false,
                evidence: $0.evidence ?? .null)
        }
    }
}
