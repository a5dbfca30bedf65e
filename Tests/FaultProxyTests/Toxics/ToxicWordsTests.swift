import RigModel
import Testing

@testable import FaultProxy

@Suite struct ToxicWordsTests {
    @Test(
        "Read",
        arguments: [
            ("latency=50ms,jitter=10ms", #"latency downstream 1 {"latency":50,"jitter":10}"#),
            ("latency:latency=50,jitter=2s", #"latency downstream 1 {"latency":50,"jitter":2000}"#),
            ("latency@upstream=1.5s", #"latency upstream 1 {"latency":1500,"jitter":0}"#),
            (
                "slicer@upstream~50%:average_size=64,delay=500us",
                #"slicer upstream 0.5 {"average_size":64,"size_variation":0,"delay":500}"#
            ),
            (
                "slicer~0.25@downstream:delay=2ms",
                #"slicer downstream 0.25 {"average_size":0,"size_variation":0,"delay":2000}"#
            ),
            ("bandwidth=100KB/s", #"bandwidth downstream 1 {"rate":100}"#),
            ("bandwidth=1MB/s", #"bandwidth downstream 1 {"rate":1000}"#),
            ("bandwidth:rate=1MiB/s", #"bandwidth downstream 1 {"rate":1049}"#),
            ("bandwidth:rate=8Mbit/s", #"bandwidth downstream 1 {"rate":1000}"#),
            ("bandwidth:rate=1Mbps", #"bandwidth downstream 1 {"rate":125}"#),
            ("bandwidth:rate=10B/s", #"bandwidth downstream 1 {"rate":1}"#),
            ("limit_data=64KiB", #"limit_data downstream 1 {"bytes":65536}"#),
            ("limit-data=1_000", #"limit_data downstream 1 {"bytes":1000}"#),
            ("blackhole", "blackhole downstream 1 {}"),
            ("blackhole@upstream~90%", "blackhole upstream 0.9 {}"),
            ("reset", "reset downstream 1 {}"),
            ("timeout=0", #"timeout downstream 1 {"timeout":0}"#),
            ("corrupt=10%,bytes=3", #"corrupt downstream 1 {"rate":0.1,"bytes":3,"after_bytes":0}"#),
            ("half_open=30s,answer=reset", #"half_open downstream 1 {"idle_ms":30000,"answer":"reset"}"#),
            (
                "cut-after:after-ms=2s,manner=finish",
                #"cut_after downstream 1 {"after_ms":2000,"bytes":0,"messages":0,"manner":"finish"}"#
            ),
            ("latency=9223372036854775807", #"latency downstream 1 {"latency":9223372036854775807,"jitter":0}"#),
        ])
    func read(words: String, expected: String) throws {
        let read = try ToxicWords(words)
        let attributes = JSONValue.object(read.toxic.attributes.values).compactText
        let toxicity = JSONValue(read.toxicity).compactText
        #expect("\(read.type.name) \(read.stream.rawValue) \(toxicity) \(attributes)" == expected)
    }

    @Test(
        "Refused with the place, what was expected and what was probably meant",
        arguments: [
            ("", 1, "expected a toxic", nil),
            ("lattency=50ms", 1, #"saw "lattency"; did you mean "latency"?"#, "latency"),
            ("latency@upsteam=5", 9, "expected upstream or downstream", "upstream"),
            ("latency~150%=5", 9, "a share of the connections", nil),
            ("latency~=5", 9, #"saw "=""#, nil),
            ("latency@upstream@downstream=5", 17, "at most one", nil),
            ("latency=50ms,jiter=1", 14, "an attribute of latency: latency, jitter", "jitter"),
            ("latency=50ms,latency=1", 14, "every attribute once", nil),
            ("latency=50ms,", 14, "saw the end", nil),
            ("latency=50ms,jitter", 20, #"expected "=" and a value for jitter"#, nil),
            ("latency:", 9, "saw the end", nil),
            ("latency=", 9, "a whole number from 0 of milliseconds, such as 50ms or 2s, saw the end", nil),
            ("latency=fast", 9, #"saw "fast""#, nil),
            ("latency=-5ms", 9, #"saw "-5ms""#, nil),
            ("latency=50KB", 9, "such as 50ms or 2s", nil),
            ("latency=500us", 9, "whole number", nil),
            ("latency=1.5", 9, "whole number", nil),
            ("latency=1.", 9, "whole number", nil),
            ("latency=99999999999999999999", 9, "whole number", nil),
            ("latency=9223372036854775807h", 9, "whole number", nil),
            ("latency=50ms:jitter=1", 13, #"expected "," or the end"#, nil),
            ("noop=1", 5, "noop has no attributes", nil),
            ("noop:x=1", 6, "noop has no attributes", nil),
            ("bandwidth=-100KB/s", 11, "100KB/s", nil),
            ("bandwidth=100KB", 11, "100KB/s", nil),
            ("cut_after:manner=fin", 18, #"one of "reset", "finish""#, nil),
            ("corrupt=200%", 9, "from 0 to 1", nil),
            ("blackhole,reset", 10, "the end", nil),
        ] as [(String, Int, String, String?)])
    func refused(words: String, character: Int, message: String, nearest: String?) throws {
        let error = try #require(#expect(throws: ToxicWordsError.self) { try ToxicWords(words) })
        #expect(error.description.contains(message), "\(error)")
        #expect(error.offset + 1 == character, "\(error)")
        #expect(error.nearest == nearest)
    }

    @Test("No text makes it trap", arguments: 0..<300)
    func garbage(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let parts = [
            "latency", "slicer", "@", "~", ":", "=", ",", "50", "ms", ".", "%", "-", "é", "rate", "9999999999", "_",
        ]
        for _ in 0..<50 {
            let words = (0..<Int.random(in: 0...9, using: &generator)).map { _ in
                parts.randomElement(using: &generator) ?? ""
            }.joined()
            _ = try? ToxicWords(words)
        }
    }
}
