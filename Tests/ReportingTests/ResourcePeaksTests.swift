import RigModel
import Testing

@testable import Reporting

struct ResourcePeaksTests {
    private func event(_ function: String, _ value: JSONValue) -> Event {
        Event(index: 0, time: 0, kind: .info, process: .probe, function: function, value: value)
    }

    @Test("The highest of each, the mean of the machine's threads, the sum of the stalls; merged the same")
    func peaksAreKept() {
        let events = [
            event("sample", ["rss_bytes": 10, "descriptors": 5, "server_sessions": .null, "runnable": 2]),
            event("stall", ["late_ns": 60_000_000]),
            event("sample", ["rss_bytes": 7, "descriptors": 9, "server_sessions": .null, "runnable": 5]),
            event("stall", ["late_ns": 40_000_000]),
        ]
        let expected: [JSONValue.Member] = [
            .init("peak_rss_bytes", 10), .init("peak_descriptors", 9), .init("stalled_s", 0.1),
            .init(FiledRun.runnableThreads, 3.5),
        ]
        for split in 0...events.count {
            var first = ResourcePeaks()
            var second = ResourcePeaks()
            for event in events[..<split] { first.observe(event) }
            for event in events[split...] { second.observe(event) }
            first.merge(second)
            #expect(first.members == expected)
        }
    }
}
