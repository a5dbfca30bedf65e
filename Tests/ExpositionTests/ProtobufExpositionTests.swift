import RigModel
import Testing

@testable import Exposition

/// The bytes; that a real Prometheus reads them is tested on the program.
@Suite struct ProtobufExpositionTests {
    @Test func counterIsAMessageBehindItsLength() {
        var metrics = MetricCollection()
        metrics.add(MetricDefinition("a_total", .counter, "A", labels: ["k"]), ["v"], 1)
        let metric: [UInt8] = [0x0A, 6, 0x0A, 1, 0x6B, 0x12, 1, 0x76, 0x1A, 9, 9, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
        let family: [UInt8] =
            [0x0A, 7] + Array("a_total".utf8) + [0x12, 1, 0x41, 0x18, 0, 0x22, UInt8(metric.count)] + metric
        #expect(ProtobufExposition.encode(metrics) == [UInt8(family.count)] + family)
    }

    @Test func numbersTakeAsManyBytesAsTheyNeed() {
        func bytes(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
            var writer = ProtobufWriter()
            write(&writer)
            return writer.bytes
        }
        // From the specification of the encoding.
        #expect(bytes { $0.varint(1, 150) } == [0x08, 0x96, 0x01])
        #expect(bytes { $0.varint(12, .max) } == [0x60] + [UInt8](repeating: 0xFF, count: 9) + [1])
        #expect(bytes { $0.zigzag(-1) } == [1])
        #expect(bytes { $0.zigzag(1) } == [2])
        #expect(bytes { $0.zigzag(0x7FFF_FFFF) } == [0xFE, 0xFF, 0xFF, 0xFF, 0x0F])
        #expect(bytes { $0.zigzag(.min) } == [UInt8](repeating: 0xFF, count: 9) + [1])
    }

    @Test func nativeBucketsAreSpansAndDifferences() {
        var histogram = LatencyHistogram()
        // 1 s and 1.02 s: the buckets up to 2^0 and 2^(1/8); 16 s: up to 2^4.
        for nanoseconds: Int64 in [0, 995_000_000, 995_000_000, 1_020_000_000, 15_900_000_000] {
            histogram.add(nanoseconds: nanoseconds)
        }
        let snapshot = HistogramSnapshot(histogram, bounds: [])
        #expect(snapshot.spans == [.init(offset: 0, counts: [2, 1]), .init(offset: 30, counts: [1])])
        var metrics = MetricCollection()
        metrics.add(MetricDefinition("t_seconds", .histogram, "T"), [], snapshot)
        // Spans (0, 2) and (30, 1), and the differences 2, -1, 0 in zigzag.
        let tail: [UInt8] = [0x62, 4, 0x08, 0, 0x10, 2, 0x62, 4, 0x08, 60, 0x10, 1, 0x6A, 3, 4, 1, 0]
        let bytes = ProtobufExposition.encode(metrics)
        #expect(bytes.suffix(tail.count) == tail[...])
    }
}
