import RigModel
import Testing

@testable import Orchestrator

@Suite struct HistoryRulesTests {
    private static func problem(_ events: [(Event.Kind, Event.Process, String)]) -> String? {
        var rules = HistoryRules()
        for (index, event) in events.enumerated() {
            let end = HistoryRules.end(events: index, time: Int64(max(0, index - 1)), digest: "x")
            let whole =
                event.0 == .end
                ? end
                : Event(index: index, time: Int64(index), kind: event.0, process: event.1, function: event.2)
            let problem = rules.problem(with: whole) { HistoryRules.End(digest: "x", line: Array(end.line.utf8)) }
            if let problem { return "\(index): \(problem)" }
        }
        return rules.hasEnded ? nil : "no end"
    }

    @Test func aWorkerEndsWhatItBegan() {
        #expect(Self.problem([(.invoke, .worker(1), "read"), (.ok, .worker(1), "read"), (.end, .probe, "end")]) == nil)
        // Still in flight at the end: the checkers judge that.
        #expect(Self.problem([(.invoke, .worker(1), "read"), (.end, .probe, "end")]) == nil)
        #expect(Self.problem([(.ok, .worker(1), "read")]) == "0: worker 1 ends `read`, which it never began")
        #expect(
            Self.problem([(.invoke, .worker(1), "read"), (.invoke, .worker(1), "append")])
                == "1: worker 1 begins `append` while its `read` has not ended")
        #expect(
            Self.problem([(.invoke, .worker(1), "read"), (.ok, .worker(1), "append")])
                == "1: worker 1 ends `append`, but it had begun `read`")
    }

    @Test func aWorkerThatEndedWithInfoIsGone() {
        #expect(
            Self.problem([(.invoke, .worker(7), "read"), (.info, .worker(7), "read"), (.invoke, .worker(7), "read")])
                == "2: worker 7 begins an operation after its last one ended with info")
        #expect(
            Self.problem([
                (.invoke, .worker(7), "read"), (.info, .worker(7), "read"), (.invoke, .worker(8), "read"),
                (.end, .probe, "end"),
            ]) == nil)
    }

    @Test func onlyWorkersDoOperations() {
        #expect(Self.problem([(.ok, .pool, "gauges")])?.contains("only workers do operations") == true)
        #expect(Self.problem([(.info, .nemesis, "phase"), (.end, .probe, "end")]) == nil)
    }
}
