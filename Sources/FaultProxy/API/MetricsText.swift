import RigModel

/// Samples of metrics as Prometheus reads them: grouped by metric, each with its help and type once.
struct MetricsText {
    struct Metric {
        let name: String
        let type: String
        let help: String

        static let received = Metric(
            name: "toxiproxy_proxy_received_bytes_total", type: "counter",
            help: "The total number of bytes received on a given proxy link in a given direction")
        static let sent = Metric(
            name: "toxiproxy_proxy_sent_bytes_total", type: "counter",
            help: "The total number of bytes sent on a given proxy link in a given direction")
        static let enabled = Metric(
            name: "chaosrig_proxy_enabled", type: "gauge", help: "1 while the proxy listens")
        static let open = Metric(
            name: "chaosrig_proxy_connections_open", type: "gauge", help: "Connections that exist now")
        static let accepted = Metric(
            name: "chaosrig_proxy_connections_accepted_total", type: "counter", help: "Clients that were accepted")
        static let refused = Metric(
            name: "chaosrig_proxy_connections_refused_total", type: "counter",
            help: "Clients that were reset because the server was not reached, or a toxic did not let them in")
        static let closed = Metric(
            name: "chaosrig_proxy_connections_closed_total", type: "counter", help: "Connections that ended, by reason")
        static let descriptorShortages = Metric(
            name: "chaosrig_proxy_descriptor_shortages_total", type: "counter",
            help: "Times that the proxy had no file descriptor left")
        static let toxicConnections = Metric(
            name: "chaosrig_proxy_toxic_connections_total", type: "counter",
            help: "Connections that the toxic affected")
        static let toxicRefused = Metric(
            name: "chaosrig_proxy_toxic_refused_total", type: "counter",
            help: "Connections that the toxic did not let in")
        static let toxicClosed = Metric(
            name: "chaosrig_proxy_toxic_closed_total", type: "counter", help: "Connections that the toxic ended")
        static let heldBytes = Metric(
            name: "chaosrig_proxy_toxic_held_bytes_total", type: "counter", help: "Bytes that the toxic held")
        static let swallowedBytes = Metric(
            name: "chaosrig_proxy_toxic_swallowed_bytes_total", type: "counter", help: "Bytes that the toxic swallowed")
        static let holdSeconds = Metric(
            name: "chaosrig_proxy_toxic_hold_seconds", type: "gauge",
            help: "How long the toxic really held a chunk, as quantiles since it was added")
        static let holds = Metric(
            name: "chaosrig_proxy_toxic_holds_total", type: "counter", help: "Chunks that the toxic held")
        static let cutMatches = Metric(
            name: "chaosrig_proxy_cut_matches_total", type: "counter", help: "Messages that the cut point matched")
        static let cutHits = Metric(
            name: "chaosrig_proxy_cut_hits_total", type: "counter", help: "Times that the cut point acted")
    }

    private var metrics: [Metric] = []
    private var samples: [String: [String]] = [:]

    mutating func add(_ metric: Metric, _ labels: [(String, String)], _ value: Int) {
        add(metric, labels, String(value))
    }

    /// How long chunks were held.
    mutating func addHolds(_ holds: LatencyHistogram, _ labels: [(String, String)]) {
        add(.holds, labels, Int(clamping: holds.count))
        for quantile in ["0.5", "0.9", "0.99", "1"] {
            guard let share = Double(quantile), let value = holds.nanoseconds(atQuantile: share) else { continue }
            add(.holdSeconds, labels + [("quantile", quantile)], "\(Double(value) / 1e9)")
        }
    }

    private mutating func add(_ metric: Metric, _ labels: [(String, String)], _ value: String) {
        if samples[metric.name] == nil { metrics.append(metric) }
        let pairs = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
        samples[metric.name, default: []].append("\(metric.name){\(pairs)} \(value)")
    }

    private static func escaped(_ text: String) -> String {
        // Not by characters: to Swift a line feed behind a carriage return is none, nor is a quote with an accent.
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    var text: String {
        metrics.map { metric in
            let lines = samples[metric.name] ?? []
            return "# HELP \(metric.name) \(metric.help)\n# TYPE \(metric.name) \(metric.type)\n"
                + lines.map { $0 + "\n" }.joined()
        }.joined()
    }
}
