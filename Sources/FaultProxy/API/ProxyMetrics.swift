import Exposition
import RigModel

/// The metrics of the proxies, some under Toxiproxy's names. Labels in their order, as Prometheus' libraries write them.
extension MetricDefinition {
    static let received = MetricDefinition(
        "toxiproxy_proxy_received_bytes_total", .counter,
        "The total number of bytes received on a given proxy link in a given direction",
        labels: ["direction", "listener", "proxy", "upstream"])
    static let sent = MetricDefinition(
        "toxiproxy_proxy_sent_bytes_total", .counter,
        "The total number of bytes sent on a given proxy link in a given direction",
        labels: ["direction", "listener", "proxy", "upstream"])
    static let enabled = MetricDefinition(
        "chaosrig_proxy_enabled", .gauge, "1 while the proxy listens", labels: ["proxy"])
    static let open = MetricDefinition(
        "chaosrig_proxy_connections_open", .gauge, "Connections that exist now", labels: ["proxy"])
    static let accepted = MetricDefinition(
        "chaosrig_proxy_connections_accepted_total", .counter, "Clients that were accepted", labels: ["proxy"])
    static let refused = MetricDefinition(
        "chaosrig_proxy_connections_refused_total", .counter,
        "Clients that were reset because the server was not reached, or a toxic did not let them in", labels: ["proxy"])
    static let closed = MetricDefinition(
        "chaosrig_proxy_connections_closed_total", .counter, "Connections that ended, by reason",
        labels: ["proxy", "reason"])
    static let descriptorShortages = MetricDefinition(
        "chaosrig_proxy_descriptor_shortages_total", .counter, "Times that the proxy had no file descriptor left",
        labels: ["proxy"])
    static let toxicConnections = MetricDefinition(
        "chaosrig_proxy_toxic_connections_total", .counter, "Connections that the toxic affected",
        labels: ["proxy", "stream", "toxic"])
    static let toxicRefused = MetricDefinition(
        "chaosrig_proxy_toxic_refused_total", .counter, "Connections that the toxic did not let in",
        labels: ["proxy", "stream", "toxic"])
    static let toxicClosed = MetricDefinition(
        "chaosrig_proxy_toxic_closed_total", .counter, "Connections that the toxic ended",
        labels: ["proxy", "stream", "toxic"])
    static let heldBytes = MetricDefinition(
        "chaosrig_proxy_toxic_held_bytes_total", .counter, "Bytes that the toxic held",
        labels: ["proxy", "stream", "toxic"])
    static let swallowedBytes = MetricDefinition(
        "chaosrig_proxy_toxic_swallowed_bytes_total", .counter, "Bytes that the toxic swallowed",
        labels: ["proxy", "stream", "toxic"])
    static let holdSeconds = MetricDefinition(
        "chaosrig_proxy_toxic_hold_seconds", .gauge,
        "How long the toxic really held a chunk, as quantiles since it was added",
        labels: ["proxy", "stream", "toxic", "quantile"])
    static let holds = MetricDefinition(
        "chaosrig_proxy_toxic_holds_total", .counter, "Chunks that the toxic held",
        labels: ["proxy", "stream", "toxic"])
    static let cutMatches = MetricDefinition(
        "chaosrig_proxy_cut_matches_total", .counter, "Messages that the cut point matched", labels: ["proxy", "cut"])
    static let cutHits = MetricDefinition(
        "chaosrig_proxy_cut_hits_total", .counter, "Times that the cut point acted", labels: ["proxy", "cut"])
}

extension MetricCollection {
    /// How long a toxic held chunks.
    mutating func addHolds(_ holds: LatencyHistogram, _ labels: [String]) {
        add(.holds, labels, Int(clamping: holds.count))
        for quantile in ["0.5", "0.9", "0.99", "1"] {
            guard let share = Double(quantile), let value = holds.nanoseconds(atQuantile: share) else { continue }
            add(.holdSeconds, labels + [quantile], Double(value) / 1e9)
        }
    }
}
