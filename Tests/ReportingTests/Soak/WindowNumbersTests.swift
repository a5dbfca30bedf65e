import RigModel
import Testing

@testable import Reporting

struct WindowNumbersTests {
    private func event(
        _ second: Double, _ kind: Event.Kind, _ process: Event.Process, _ function: String, _ value: JSONValue = .null
    ) -> Event {
        Event(index: 0, time: Int64(second * 1e9), kind: kind, process: process, function: function, value: value)
    }

    @Test("Of a phase that lasts for hours the samples are spread over all of it")
    func longPhaseIsSampledEvenly() {
        var sample = EvenSample()
        for number in 0..<1_000_000 { sample.add(Double(number)) }
        #expect(sample.values.count <= EvenSample.limit && sample.values.count >= EvenSample.limit / 2)
        #expect(sample.values.last.map { $0 > 990_000 } == true)
        #expect(RobustStatistics.median(sample.values).map { abs($0 - 500_000) < 1000 } == true)
    }

    @Test func onlyTheSteadyPhaseIsCompared() {
        var numbers = WindowNumbers()
        func phase(_ second: Double, _ name: String) {
            numbers.observe(event(second, .info, .nemesis, "phase", ["phase": "begin", "name": .string(name)]))
        }
        func operation(_ begin: Double, _ end: Double, _ kind: Event.Kind) {
            numbers.observe(event(begin, .invoke, .worker(1), "read"))
            numbers.observe(event(end, kind, .worker(1), "read"))
        }
        func sample(_ second: Double, _ bytes: Int) {
            numbers.observe(
                event(
                    second, .info, .probe, "sample",
                    ["rss_bytes": JSONValue(bytes), "descriptors": 30, "server_sessions": .null]))
        }
        phase(0, "warm-up")
        operation(0.1, 0.9, .ok)
        phase(1, "steady")
        operation(1.1, 1.12, .ok)
        operation(1.2, 1.22, .fail)
        sample(1.5, 100)
        sample(1.7, 300)
        sample(1.8, 200)
        phase(3, "faults")
        sample(3.5, 9000)
        operation(3.6, 4.6, .info)
        let result = numbers.finish()
        #expect(result.ok == 2 && result.failed == 1 && result.inDoubt == 1)
        #expect(result.okPerSecond == 0.5)
        #expect(result.p99Milliseconds.map { abs($0 - 20) < 0.5 } == true)
        #expect(result.residentBytes == 200 && result.descriptors == 30 && result.serverSessions == nil)
        #expect(WindowNumbers.Result(result.json) == result)
    }
}
