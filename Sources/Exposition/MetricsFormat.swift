/// The forms in which Prometheus takes metrics.
package enum MetricsFormat: Sendable, CaseIterable {
    /// The only one with native histograms.
    case protobuf
    case openMetrics
    case text

    package var contentType: String {
        switch self {
        case .protobuf:
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        case .text: "text/plain; version=0.0.4; charset=utf-8"
        }
    }

    /// The form that a client likes most (RFC 9110 §12.5.1); text for one that names none of them.
    ///
    /// - Parameter accept: the value of its `Accept`.
    package init(accept: String) {
        var best = (format: MetricsFormat.text, weight: 0.0)
        for range in accept.lowercased().split(separator: ",") {
            let words = range.split(separator: ";").map { $0.filter { !$0.isWhitespace } }
            guard let media = words.first, let format = Self.named(media, Array(words.dropFirst())) else { continue }
            let weight = words.first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            if weight > best.weight { best = (format, weight) }
        }
        self = best.format
    }

    private static func named(_ media: String, _ parameters: [String]) -> MetricsFormat? {
        func asks(_ name: String, other than: String) -> Bool {
            parameters.contains { $0.hasPrefix(name + "=") && $0 != "\(name)=\(than)" }
        }
        switch media {
        case "application/vnd.google.protobuf":
            let isOurs =
                parameters.contains("proto=io.prometheus.client.metricfamily")
                && parameters.contains("encoding=delimited")
            return isOurs ? .protobuf : nil
        case "application/openmetrics-text": return asks("version", other: "1.0.0") ? nil : .openMetrics
        case "text/plain": return asks("version", other: "0.0.4") ? nil : .text
        default: return nil
        }
    }
}

extension MetricCollection {
    package func encoded(_ format: MetricsFormat) -> [UInt8] {
        switch format {
        case .protobuf: ProtobufExposition.encode(self)
        case .openMetrics: Array(TextExposition(.openMetrics).encode(self).utf8)
        case .text: Array(TextExposition(.classic).encode(self).utf8)
        }
    }
}
