/// Writes metrics as `io.prometheus.client.MetricFamily` messages, each behind its length. Histograms are native ones, and
/// have the usual buckets beside for whoever does not take these.
///
/// Field numbers: https://github.com/prometheus/client_model, io/prometheus/client/metrics.proto.
package enum ProtobufExposition {
    package static func encode(_ metrics: MetricCollection) -> [UInt8] {
        var all = ProtobufWriter()
        for family in metrics.families { all.delimited(message(family)) }
        return all.bytes
    }

    private static func message(_ family: MetricCollection.Family) -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.string(1, family.definition.name)
        writer.string(2, family.definition.help)
        let kind = family.definition.kind
        let number: UInt64 =
            switch kind {
            case .counter: 0
            case .gauge: 1
            case .histogram: 4
            }
        writer.varint(3, number)
        for sample in family.samples { writer.message(4, message(sample, kind)) }
        return writer
    }

    private static func message(_ sample: MetricSample, _ kind: MetricDefinition.Kind) -> ProtobufWriter {
        var writer = ProtobufWriter()
        for label in sample.labels {
            var pair = ProtobufWriter()
            pair.string(1, label.name)
            pair.string(2, label.value)
            writer.message(1, pair)
        }
        switch sample.value {
        case .number(let number):
            var value = ProtobufWriter()
            value.double(1, number)
            writer.message(kind == .counter ? 3 : 2, value)
        case .histogram(let histogram): writer.message(7, message(histogram))
        }
        return writer
    }

    private static func message(_ histogram: HistogramSnapshot) -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.varint(1, histogram.count)
        writer.double(2, histogram.sum)
        for bucket in histogram.buckets {
            var message = ProtobufWriter()
            message.varint(1, bucket.cumulativeCount)
            message.double(2, bucket.upperBound)
            writer.message(3, message)
        }
        writer.zigzag(5, Int64(HistogramSnapshot.schema))
        writer.double(6, HistogramSnapshot.zeroThreshold)
        writer.varint(7, histogram.zeroCount)
        var deltas = ProtobufWriter()
        var last: Int64 = 0
        for span in histogram.spans {
            var message = ProtobufWriter()
            message.zigzag(1, Int64(span.offset))
            message.varint(2, UInt64(span.counts.count))
            writer.message(12, message)
            for count in span.counts {
                let count = Int64(clamping: count)
                deltas.zigzag(count - last)
                last = count
            }
        }
        if !histogram.spans.isEmpty { writer.message(13, deltas) }
        return writer
    }
}

/// The parts of the wire format that metrics need (https://protobuf.dev/programming-guides/encoding). A value.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    mutating func varint(_ field: Int, _ value: UInt64) {
        key(field, 0)
        varint(value)
    }

    mutating func zigzag(_ field: Int, _ value: Int64) {
        key(field, 0)
        zigzag(value)
    }

    mutating func double(_ field: Int, _ value: Double) {
        key(field, 1)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
        }
    }

    mutating func string(_ field: Int, _ value: String) {
        key(field, 2)
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    mutating func message(_ field: Int, _ value: ProtobufWriter) {
        key(field, 2)
        delimited(value)
    }

    /// A message behind its length.
    mutating func delimited(_ value: ProtobufWriter) {
        varint(UInt64(value.bytes.count))
        bytes.append(contentsOf: value.bytes)
    }

    /// Small numbers of both signs take few bytes.
    mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    private mutating func key(_ field: Int, _ type: UInt64) { varint(UInt64(field) << 3 | type) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
