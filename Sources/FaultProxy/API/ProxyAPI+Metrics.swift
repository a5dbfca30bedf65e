import Exposition
import HTTPService

/// The metrics in Prometheus' text format. The values are live; Toxiproxy adds them when a connection ends.
extension ProxyAPI {
    var metrics: HTTPResponse {
        var metrics = MetricCollection()
        for entry in proxies.entries { add(entry, to: &metrics) }
        return HTTPResponse(
            status: 200, headers: [.init("Content-Type", MetricsFormat.text.contentType)],
            bytes: metrics.encoded(.text))
    }

    private func add(_ entry: ProxyEntry, to metrics: inout MetricCollection) {
        let view = entry.view
        let statistics = entry.statistics
        for stream in ProxyStream.allCases {
            let labels = [stream.rawValue, view.listen, view.name, view.upstream]
            let isUpstream = stream == .upstream
            metrics.add(.received, labels, isUpstream ? statistics.upstreamReceived : statistics.downstreamReceived)
            metrics.add(.sent, labels, isUpstream ? statistics.upstreamSent : statistics.downstreamSent)
        }
        let proxy = [view.name]
        metrics.add(.enabled, proxy, view.isEnabled ? 1 : 0)
        metrics.add(.open, proxy, statistics.open)
        metrics.add(.accepted, proxy, statistics.accepted)
        metrics.add(.refused, proxy, statistics.refused)
        metrics.add(.descriptorShortages, proxy, statistics.descriptorShortages)
        for (reason, count) in entry.tally.closed { metrics.add(.closed, proxy + [reason], count) }
        for toxic in view.toxics {
            let labels = proxy + [toxic.active.stream.rawValue, toxic.name]
            let counts = toxic.active.record.snapshot
            metrics.add(.toxicConnections, labels, counts.connections)
            metrics.add(.toxicRefused, labels, counts.refused)
            metrics.add(.toxicClosed, labels, counts.closed)
            metrics.add(.heldBytes, labels, counts.heldBytes)
            metrics.add(.swallowedBytes, labels, counts.swallowedBytes)
            metrics.addHolds(counts.holds, labels)
        }
        for cut in view.cuts {
            let labels = proxy + [cut.name]
            metrics.add(.cutMatches, labels, cut.record.matches)
            metrics.add(.cutHits, labels, cut.record.hits)
        }
    }
}
